// Shows on the page what came, an error too, for who looks at it from outside.

export async function show(answer) {
  const output = document.querySelector("#answer");
  output.textContent = await answer.then(JSON.stringify, inWords);
}

/** An error, as JSON: `JSON.stringify` finds nothing in one. */
export function inWords({ name, code, message, stack }) {
  return JSON.stringify({ error: { name, code, message, stack } });
}
