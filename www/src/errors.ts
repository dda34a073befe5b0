// Every error of this package, after the one table of faults.

import { FAULTS, type ClassName, type Code } from "./faults.js";

/** Something went wrong; `code` says what, and is the same on every host. */
export class TriremeError extends Error {
  /** What went wrong. */
  readonly code: Code;

  constructor(code: Code, message: string) {
    super(message);
    this.code = code;
    this.name = FAULTS[code].class;
  }

  /** The HTTP status that a server answers with. */
  get status(): number {
    return FAULTS[this.code].status;
  }

  /** Whether the same request may be answered when it is sent again. */
  get retryable(): boolean {
    return FAULTS[this.code].retryable;
  }

  /** What to do about it. */
  get hint(): string {
    return FAULTS[this.code].hint;
  }
}

/** The request is at fault; sending it again changes nothing. */
export class InputError extends TriremeError {}
/** The model is at fault, or is not there. */
export class ModelError extends TriremeError {}
/** The model's source can't be reached, or refuses. */
export class SourceError extends TriremeError {}
/** The caller may not ask for this. */
export class AccessError extends TriremeError {}
/** Too much is asked at once, or the caller left; later it may work. */
export class BusyError extends TriremeError {}
/** This browser or build can't do it. */
export class UnsupportedError extends TriremeError {}
/** This machine is at fault, or we are. */
export class InternalError extends TriremeError {}

const CLASSES: Record<ClassName, typeof TriremeError> = {
  InputError,
  ModelError,
  SourceError,
  AccessError,
  BusyError,
  UnsupportedError,
  InternalError,
};

/** A fault, as it crosses from the worker. */
export interface Fault {
  code: Code;
  message: string;
}

/** An error of this code. */
export function error(code: Code, message: string): TriremeError {
  return errorOf({ code, message });
}

/** An error of the class that its code belongs to. */
export function errorOf({ code, message }: Fault): TriremeError {
  return new CLASSES[FAULTS[code].class](code, message);
}

/** What was thrown, as a fault; `undefined` where it is none of ours. */
export function faultOf(thrown: unknown): Fault | undefined {
  if (!(thrown instanceof Error) || !("code" in thrown)) return undefined;
  const code = String(thrown.code);
  return Object.hasOwn(FAULTS, code) ? { code: code as Code, message: thrown.message } : undefined;
}

/** What an engine died of. A panic says so itself; Rust ends in `unreachable` only where an
 *  allocation failed. */
export function deathOf(thrown: unknown): Fault {
  if (thrown instanceof WebAssembly.RuntimeError && /unreachable/i.test(thrown.message)) {
    return { code: "out_of_memory", message: "the engine ran out of memory; ask for less at once" };
  }
  return { code: "internal", message: `the engine broke on this request: ${wordsOf(thrown)}` };
}

/** The caller left. */
export function cancelled(): TriremeError {
  return error("cancelled", "the caller left");
}

/** What was thrown, in words. */
export function wordsOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
