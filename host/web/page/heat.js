// Heat maps of kernels, each on a scale of its own.
import { element, put, text } from "./chart.js";

/** From white to a dark blue, as in the reports. */
const PALE = [255, 255, 255];
const DARK = [5, 35, 90];
/** The share of the scale from which on a cell wants white text. */
const HALF = 0.45;

const colour = (share) => `rgb(${PALE.map((pale, k) => Math.round(pale + share * (DARK[k] - pale))).join(" ")})`;

/** A number in a few digits. */
export function short(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e5 || size < 1e-3)) return value.toExponential(1).replace("e+", "e").replace("-", "−");
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return value.toFixed(digits).replace("-", "−");
}

/** Draws maps `{ name, values }` of n x n numbers side by side. */
export function drawMaps(figure, maps, n, describe) {
  const width = Math.max(280, figure.clientWidth);
  const gap = 16;
  const columns = width < 430 ? 2 : maps.length;
  const rows = Math.ceil(maps.length / columns);
  const side = Math.floor((width - gap * (columns + 1)) / columns);
  const cell = side / n;
  const each = side + 66;
  const svg = element("svg", { viewBox: `0 0 ${width} ${rows * each}`, height: rows * each, role: "img", "aria-label": describe });
  maps.forEach(({ name, values }, k) => {
    const left = gap + (k % columns) * (side + gap);
    const top = 28 + Math.floor(k / columns) * each;
    const [low, high] = [Math.min(0, ...values), Math.max(...values)];
    const share = (value) => (high > low ? (value - low) / (high - low) : 0);
    svg.append(text({ x: left, y: top - 9 }, name));
    values.forEach((value, at) => {
      const [row, column] = [Math.floor(at / n), at % n];
      const [x, y] = [left + column * cell, top + row * cell];
      const square = element("rect", { class: "cell", x, y, width: cell + 0.3, height: cell + 0.3, fill: colour(share(value)) });
      square.append(element("title", {}, `samples ${row + 1} and ${column + 1}: ${value.toPrecision(6)}`));
      svg.append(square);
    });
    svg.append(element("rect", { class: "frame", x: left, y: top, width: side, height: side }));
    const bar = top + side + 8;
    for (let step = 0; step < 24; step += 1) {
      const slice = { x: left + (step * side) / 24, y: bar, width: side / 24 + 0.5, height: 8, fill: colour(step / 23) };
      svg.append(element("rect", { class: "cell", ...slice }));
    }
    svg.append(element("rect", { class: "frame", x: left, y: bar, width: side, height: 8 }));
    svg.append(text({ x: left, y: bar + 22 }, short(low)), text({ x: left + side, y: bar + 22, "text-anchor": "end" }, short(high)));
    if (cell >= 36) {
      values.forEach((value, at) => {
        const place = { x: left + ((at % n) + 0.5) * cell, y: top + (Math.floor(at / n) + 0.5) * cell + 4, "text-anchor": "middle" };
        svg.append(text({ ...place, class: share(value) > HALF ? "on-dark" : "on-light" }, short(value)));
      });
    }
  });
  put(figure, svg);
}
