// The map itself: marks where they lie in the plane, apart enough to be read.

import { mark, REACH } from "./marks.js";

export interface Spot {
  at: [x: number, y: number];
  kind: number;
}

/** Rounds in which marks that overlap push each other away. */
const ROUNDS = 60;

/** Room at the edges, in pixels. */
const EDGE = 20;

/** Draws spots, each with its number from one; again when the drawing's size changes. Whoever points
 *  at a mark is heard of. */
export function plot(svg: SVGSVGElement, point: (spot: number) => void, choose: (spot: number) => void) {
  let shown: readonly Spot[] = [];
  let marks: SVGGElement[] = [];
  const draw = () => {
    const { clientWidth: width, clientHeight: height } = svg;
    if (width === 0) return;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    marks = placed(shown, width, height).map(([x, y], index) => {
      const group = mark(shown[index]?.kind ?? 0, index + 1);
      group.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
      group.addEventListener("pointerenter", () => point(index));
      group.addEventListener("click", () => choose(index));
      return group;
    });
    svg.replaceChildren(...marks);
  };
  new ResizeObserver(draw).observe(svg);
  return {
    show(spots: readonly Spot[]): void {
      shown = spots;
      draw();
    },
    /** Makes one mark stand out. */
    near(spot: number): void {
      const group = marks[spot];
      if (!group || group.classList.contains("near")) return;
      for (const other of marks) other.classList.toggle("near", other === group);
      // What is last lies on top.
      svg.append(group);
    },
  };
}

/** Places in pixels: the plane fills the drawing, with one scale for both directions. */
function placed(spots: readonly Spot[], width: number, height: number): [number, number][] {
  const [left, right] = ends(spots.map(({ at }) => at[0]));
  const [top, bottom] = ends(spots.map(({ at }) => at[1]));
  const scale = Math.min((width - 2 * EDGE) / (right - left || 1), (height - 2 * EDGE) / (bottom - top || 1));
  const places = spots.map(({ at: [x, y] }): [number, number] => [
    width / 2 + (x - (left + right) / 2) * scale,
    height / 2 + (y - (top + bottom) / 2) * scale,
  ]);
  for (let round = 0; round < ROUNDS; round++) push(places, width, height);
  return places;
}

/** One round: each pair that overlaps moves apart by half of what it overlaps by. */
function push(places: [number, number][], width: number, height: number): void {
  for (const [i, one] of places.entries()) {
    for (const other of places.slice(i + 1)) {
      // Two in one place part sideways.
      const [x, y] = [other[0] - one[0] || 0.1, other[1] - one[1]];
      const overlap = 2 * REACH - Math.hypot(x, y);
      if (overlap <= 0) continue;
      const share = overlap / Math.hypot(x, y) / 4;
      move(one, -x * share, -y * share, width, height);
      move(other, x * share, y * share, width, height);
    }
  }
}

function move(place: [number, number], x: number, y: number, width: number, height: number): void {
  place[0] = Math.min(Math.max(place[0] + x, EDGE), width - EDGE);
  place[1] = Math.min(Math.max(place[1] + y, EDGE), height - EDGE);
}

function ends(numbers: readonly number[]): [number, number] {
  return [Math.min(...numbers), Math.max(...numbers)];
}
