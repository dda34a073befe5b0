// A line that says how far some work is, with a button that stops it.

import { hide, part, say } from "./dom.js";

/** Says how much is done, of how much, and in words. */
export type Report = (done: number, all: number, words: string) => void;

let current = new AbortController();

/** Does some work; the person stops it, or work that begins later. Whether it came to its end. */
export async function work(job: (signal: AbortSignal, report: Report) => Promise<void>): Promise<boolean> {
  current.abort();
  const mine = (current = new AbortController());
  const report: Report = (done, all, words) => {
    if (mine.signal.aborted) return;
    const bar = part<HTMLProgressElement>("work-done");
    bar.max = all;
    bar.value = done;
    part("work").hidden = false;
    say("work-words", words);
  };
  hide("failure");
  try {
    await job(mine.signal, report);
    return !mine.signal.aborted;
  } catch (error) {
    if (mine.signal.aborted) return false;
    throw error;
  } finally {
    if (current === mine) hide("work");
  }
}

part("stop").addEventListener("click", () => current.abort());
