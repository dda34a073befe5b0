// A server's answer to a text, or the fault that came instead.

import { error, errorOf, FAULTS, type Code, type PredictAnswer, type TriremeError } from "trireme";

/** Longer than this nobody waits, in milliseconds. */
const PATIENCE = 15_000;

/** Asks a server for the class of a text. */
export async function predictAt(address: string, text: string, signal: AbortSignal): Promise<PredictAnswer> {
  const url = addressOf(address);
  const response = await post(url, text, AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]));
  const said = await response.json().catch(() => undefined);
  if (response.ok && isAnswer(said)) return said;
  const instead = `${url.origin} answered with HTTP ${response.status}, and no class`;
  throw faultIn(said) ?? error("source_unavailable", instead);
}

/** Where `/predict` is: under an address, or on this page's own server where none is given. */
function addressOf(address: string): URL {
  try {
    const url = new URL(address || location.origin);
    if (url.protocol.startsWith("http")) return new URL(`${url.href.replace(/\/*$/, "")}/predict`);
  } catch {
    // Said below.
  }
  throw error("source_misconfigured", `${address} is no address; one begins with http:// or https://`);
}

async function post(url: URL, text: string, signal: AbortSignal): Promise<Response> {
  try {
    const headers = { "content-type": "application/json" };
    return await fetch(url, { method: "POST", headers, body: JSON.stringify({ text }), signal });
  } catch (thrown) {
    const late = thrown instanceof DOMException && thrown.name === "TimeoutError";
    throw error("source_unavailable", late ? `${url.origin} took too long` : `could not reach ${url.origin}`);
  }
}

function isAnswer(said: unknown): said is PredictAnswer {
  const { label, confidence, digest } = (said ?? {}) as Partial<PredictAnswer>;
  return typeof label === "string" && typeof confidence === "number" && typeof digest === "string";
}

/** The fault that a server of Trireme names. */
function faultIn(said: unknown): TriremeError | undefined {
  const { code, message } = (said as { error?: { code?: unknown; message?: unknown } } | undefined)?.error ?? {};
  if (typeof code !== "string" || !Object.hasOwn(FAULTS, code)) return undefined;
  return errorOf({ code: code as Code, message: String(message) });
}
