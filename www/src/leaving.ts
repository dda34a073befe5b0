// Promises that a caller may leave before they settle.

import { cancelled } from "./errors.js";

/** The same, or the caller's leave if that is sooner. What is left goes on, for others may wait for it. */
export function unlessLeft<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const leave = () => reject(cancelled());
    const stay = () => signal.removeEventListener("abort", leave);
    if (signal.aborted) leave();
    else signal.addEventListener("abort", leave);
    work.then(resolve, reject).finally(stay);
  });
}
