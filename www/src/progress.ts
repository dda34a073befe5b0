// How far loading is: one number for all files, which never goes back and never promises too much.

import type { Progress } from "./protocol.js";

/** Seconds that a rate is taken over: a line is as fast as it was lately. */
const WINDOW = 5;

/** Adds up what was read and what will be. */
export class Tally {
  readonly #report: (progress: Progress) => void;
  readonly #now: () => number;
  #loaded = 0;
  #expected = 0;
  /** Files whose length is not known yet. */
  #unknown = 0;
  /** Weights are nearly all of a model: until they are in sight, no total is true. */
  #weighty = false;
  /** When how much was here, in seconds, for the last of them. */
  #marks: [at: number, loaded: number][] = [];

  constructor(report: (progress: Progress) => void, now = () => performance.now() / 1e3) {
    this.#report = report;
    this.#now = now;
  }

  /** A file is about to be opened. */
  begin(): void {
    this.#unknown++;
  }

  /** It is not there. */
  absent(): void {
    this.#unknown--;
  }

  /** It is there, and so long, where that is known. */
  found(size: number | undefined, weights: boolean): void {
    if (size !== undefined) {
      this.#unknown--;
      this.#expected += size;
    }
    this.#weighty ||= weights;
  }

  /** So much more of it is here. */
  step(bytes: number): void {
    this.#loaded += bytes;
    this.#tell();
  }

  /** All of it is here: it was so long, and not as long as was said. */
  end(length: number, said: number | undefined): void {
    if (said === undefined) this.#unknown--;
    this.#expected += length - (said ?? 0);
    this.#tell();
  }

  #tell(): void {
    const known = this.#weighty && this.#unknown === 0 && this.#loaded <= this.#expected;
    const total = known ? this.#expected : undefined;
    const secondsLeft = this.#left(total);
    this.#report({
      loaded: this.#loaded,
      ...(total !== undefined && { total }),
      ...(secondsLeft !== undefined && { secondsLeft }),
    });
  }

  #left(total: number | undefined): number | undefined {
    const now = this.#now();
    this.#marks.push([now, this.#loaded]);
    while (this.#marks.length > 2 && now - (this.#marks[1]?.[0] ?? now) > WINDOW) this.#marks.shift();
    const [at, loaded] = this.#marks[0] ?? [now, 0];
    const rate = (this.#loaded - loaded) / (now - at);
    if (total === undefined || !(rate > 0) || !Number.isFinite(rate)) return undefined;
    return (total - this.#loaded) / rate;
  }
}
