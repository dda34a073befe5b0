// What a model's source says when it has no file to give. The engine reads the fields.

/** There is no file where one was said to be. */
export class Missing extends Error {}

/** A server's refusal. */
export class Refused extends Error {
  constructor(readonly status: number) {
    super(`HTTP ${status}`);
  }
}

/** What came is not what was promised. */
export class Damaged extends Error {
  constructor(
    readonly expected: string,
    readonly got: string,
  ) {
    super(`expected ${expected}, got ${got}`);
  }
}

/** It is not kept, and may not be fetched. */
export class Offline extends Error {
  readonly kept = "nothing";
}

/** A file that is being read. */
export interface Opened {
  /** Its length, where the source says so. */
  size: number | undefined;
  chunks: AsyncIterable<Uint8Array>;
  /** Something of it was kept before, and all of it may be fetched anew. */
  kept?: boolean;
  /** It comes past what is kept: puts all of it in that one's place. */
  replace?(bytes: Uint8Array): Promise<void>;
}
