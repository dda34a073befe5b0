// A list of names, each with a number and a bar for it.

import { made } from "./dom.js";

export interface Bar {
  name: string;
  /** The number, as people read it. */
  said: string;
  /** How much of the bar is filled, from 0 to 1. */
  share: number;
  best: boolean;
}

/** Shows bars. Those that stay are changed in place, so that they move. */
export function showBars(list: HTMLElement, bars: readonly Bar[]): void {
  while (list.children.length > bars.length) list.lastElementChild?.remove();
  bars.forEach((bar, index) => show(list.children[index] ?? list.appendChild(empty()), bar));
}

function show(item: Element, { name, said, share, best }: Bar): void {
  item.classList.toggle("best", best);
  const text = (which: string, content: string) => {
    const element = item.querySelector(which);
    if (element) element.textContent = content;
  };
  text(".name", name);
  text(".share", said);
  const bar = item.querySelector<HTMLElement>(".bar");
  if (bar) bar.style.width = `${Math.min(Math.max(share, 0), 1) * 100}%`;
}

function empty(): HTMLElement {
  const track = made("div", "track", made("div", "bar"));
  return made("li", "", made("span", "name"), made("span", "share"), track);
}
