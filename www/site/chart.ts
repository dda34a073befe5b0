// Numbers side by side: for each size, a bar for each way of computing.

import { drawn, made } from "./dom.js";
import { whole } from "./words.js";

/** Pixels of a row, and of the bar in it, below its words. */
const ROW = 40;
const BAR = 14;

/** What the longest bar takes of the width, in percent; its number stands behind it. */
const LONGEST = 75;

export interface Group {
  title: string;
  bars: { name: string; value: number }[];
}

/** Shows groups of bars, all on one scale. */
export function showChart(place: HTMLElement, groups: readonly Group[]): void {
  const most = Math.max(...groups.flatMap(({ bars }) => bars.map(({ value }) => value)), 1);
  place.replaceChildren(...groups.filter(({ bars }) => bars.length > 0).map((group) => figure(group, most)));
}

function figure({ title, bars }: Group, most: number): HTMLElement {
  const said = bars.map(({ name, value }) => `${name}: ${whole(value)}`).join("; ");
  const rows = bars.flatMap(({ name, value }, index) => {
    const y = index * ROW;
    const width = (LONGEST * value) / most;
    return [
      drawn("text", { x: 0, y: y + 14, class: "name" }, name),
      drawn("rect", { x: 0, y: y + 19, width: `${Math.max(width, 0.5)}%`, height: BAR, rx: 4 }),
      drawn("text", { x: `${width + 1.5}%`, y: y + 31 }, whole(value)),
    ];
  });
  const svg = drawn("svg", { role: "img", "aria-label": said, width: "100%", height: bars.length * ROW }, ...rows);
  return made("figure", "", made("figcaption", "", title), svg);
}
