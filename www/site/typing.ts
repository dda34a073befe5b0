// Answers as a person types: after a short rest, and only to the last text.

/** How long fingers rest before the text is asked about, in milliseconds. */
const REST = 60;

/** Calls `ask` with the newest text; an answer to an older one is stopped and never shown. */
export function latest<T>(
  ask: (text: string, signal: AbortSignal) => Promise<T>,
  show: (answer: T) => void,
  fail: (error: unknown) => void,
): (text: string, rest?: number) => void {
  let current = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const run = async (text: string, { signal }: AbortController) => {
    try {
      const answer = await ask(text, signal);
      if (!signal.aborted) show(answer);
    } catch (error) {
      if (!signal.aborted) fail(error);
    }
  };
  return (text, rest = REST) => {
    current.abort();
    current = new AbortController();
    clearTimeout(timer);
    timer = setTimeout(run, rest, text, current);
  };
}
