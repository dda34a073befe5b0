// A vector as a strip: one bar a dimension, up or down from the middle.

/** Draws a vector; the largest number of either sign reaches the edge. */
export function strip(canvas: HTMLCanvasElement): (vector: ArrayLike<number>) => void {
  let shown: ArrayLike<number> = [];
  const again = () => draw(canvas, shown);
  new ResizeObserver(again).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  return (vector) => {
    shown = vector;
    again();
  };
}

function draw(canvas: HTMLCanvasElement, vector: ArrayLike<number>): void {
  const scale = devicePixelRatio;
  const width = (canvas.width = Math.round(canvas.clientWidth * scale));
  const height = (canvas.height = Math.round(canvas.clientHeight * scale));
  const context = canvas.getContext("2d");
  if (!context || vector.length === 0) return;
  const style = getComputedStyle(canvas);
  const most = Math.max(...Array.from(vector, Math.abs)) || 1;
  const step = width / vector.length;
  const gap = step > 3 * scale ? scale : 0;
  for (let i = 0; i < vector.length; i++) {
    const reach = ((vector[i] ?? 0) / most) * (height / 2 - 2 * scale);
    context.fillStyle = style.getPropertyValue(reach < 0 ? "--below" : "--accent");
    context.fillRect(i * step, height / 2, Math.max(step - gap, 1), -reach);
  }
  context.fillStyle = style.getPropertyValue("--line");
  context.fillRect(0, height / 2, width, scale);
}
