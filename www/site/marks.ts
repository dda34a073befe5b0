// Marks on the map: a shape and a colour for each kind, with a number inside.

import { drawn, made } from "./dom.js";

/** How far a mark reaches from its middle, in pixels. */
export const REACH = 12;

/** Shapes around the middle, each of about one area. A kind is known by its shape where its colour is
 *  not seen. */
const SHAPES = [
  "M-11 0a11 11 0 1 0 22 0a11 11 0 1 0 -22 0z",
  "M-10 -10h20v20h-20z",
  "M0 -14l14 14l-14 14l-14 -14z",
  "M-14 11h28l-14 -25z",
  "M-12 0l6 -11h12l6 11l-6 11h-12z",
  "M-14 -11h28l-14 25z",
];

/** A mark around the drawing's origin. */
export function mark(kind: number, number?: number): SVGGElement {
  const shape = kind % SHAPES.length;
  const group = drawn("g", { class: `mark mark-${shape + 1}` }, drawn("path", { d: SHAPES[shape] ?? "" }));
  // Triangles are widest off their middle.
  const y = shape === 3 ? 8 : shape === 5 ? 0 : 4;
  if (number !== undefined) group.append(drawn("text", { y }, `${number}`));
  return group;
}

/** What each kind is, beside its mark. */
export function showLegend(list: HTMLElement, kinds: readonly string[]): void {
  list.replaceChildren(...kinds.map((said, kind) => made("li", "", icon(mark(kind)), made("span", "", said))));
}

/** A mark alone, in a line of text. */
export function icon(inside: SVGElement): SVGSVGElement {
  return drawn("svg", { viewBox: "-16 -16 32 32", width: 28, height: 28, "aria-hidden": "true" }, inside);
}
