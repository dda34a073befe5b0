// Elements of a page: found, made, shown and taken away.

/** An element of the page. */
export function part<T extends HTMLElement | SVGElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as HTMLElement | SVGElement as T;
}

/** Takes something away. */
export function hide(id: string): void {
  part(id).hidden = true;
}

/** Shows words where they belong. */
export function say(id: string, words: string): void {
  const place = part(id);
  place.hidden = false;
  if (place.textContent !== words) place.textContent = words;
}

/** Makes an element. */
export function made<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  name = "",
  ...inside: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(...inside);
  return element;
}

/** Makes an element of a drawing. */
export function drawn<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Record<string, string | number>,
  ...inside: (Node | string)[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, `${value}`);
  element.append(...inside);
  return element;
}
