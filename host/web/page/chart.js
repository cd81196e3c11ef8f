// Drawing: charts with axes, labels and a legend, as SVG. A number comes from the engine; here it is only given a place.

const SPACE = "http://www.w3.org/2000/svg";

export function element(name, attributes = {}, ...children) {
  const made = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** `a_b` and `a^b` as text with a subscript or a superscript. */
export function text(attributes, words) {
  const made = element("text", attributes);
  for (const part of words.split(/([_^](?:\{[^}]*\}|.))/)) {
    const shift = { _: "3", "^": "-5" }[part[0]];
    if (!shift || part.length < 2) {
      made.append(part);
      continue;
    }
    const inner = part.slice(1).replace(/[{}]/g, "");
    made.append(element("tspan", { dy: shift, class: "small" }, inner), element("tspan", { dy: -shift }, "\u200b"));
  }
  return made;
}

/** An axis that is linear in its numbers, or in their decimal logarithms. */
export class Axis {
  constructor({ from, to, ticks, label, log = false }) {
    Object.assign(this, { from, to, ticks, label, log });
  }
  /** Where a number lies, from 0 to 1; outside where it is outside, infinite where it has no place. */
  place(value) {
    return ((this.log ? Math.log10(value) : value) - this.from) / (this.to - this.from);
  }
  name(tick) {
    const minus = (number) => String(number).replace("-", "−");
    return this.log || this.decades ? `10^{${minus(tick)}}` : minus(tick);
  }
  /** Whose numbers are decimal logarithms already. */
  ofDecades() {
    this.decades = true;
    return this;
  }
}

/** Whole numbers from one to another, at most `most` of them, evenly apart. */
export function steps(from, to, most) {
  const every = [1, 2, 5, 10, 20].find((step) => (to - from) / step < most) ?? 50;
  const ticks = [];
  for (let tick = Math.ceil(from / every) * every; tick <= to + 1e-9; tick += every) ticks.push(tick);
  return ticks;
}

/** What may lie outside a linear axis, as a share of a step. */
const SLIGHT = 0.02;

/** An axis from 0 or below to above the numbers, with round ticks. */
export function linearAxis(values, label, most = 6) {
  const finite = values.filter(Number.isFinite);
  const [low, high] = [Math.min(0, ...finite), Math.max(0, ...finite)];
  const span = high - low || 1;
  const power = 10 ** Math.floor(Math.log10(span / most));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((step) => span / step <= most) ?? 10 * power;
  const first = Math.floor(low / step + SLIGHT);
  // before the first step every output may be 0
  const last = Math.max(first + 1, Math.ceil(high / step - SLIGHT));
  const ticks = Array.from({ length: last - first + 1 }, (_, k) => Number(((first + k) * step).toPrecision(6)));
  return new Axis({ from: first * step, to: last * step, ticks, label });
}

/** A logarithmic axis around the positive numbers. */
export function logAxis(values, label, [least, greatest]) {
  const logs = values.filter((value) => value > 0 && Number.isFinite(value)).map(Math.log10);
  const from = Math.max(least, Math.floor(Math.min(greatest - 1, ...logs)));
  const to = Math.max(from + 1, Math.min(greatest, Math.ceil(Math.max(from + 1, ...logs))));
  return new Axis({ from, to, ticks: steps(from, to, 6), label, log: true });
}

/** Draws `series`, each `{ x, y, kind, name }`, into a figure; `cursor` is a place on x, `marks` are points with a kind. */
export function draw(figure, { x, y, series, cursor, marks = [], ticksOn = [], describe }) {
  const width = Math.max(280, figure.clientWidth);
  const height = Math.round(Math.min(380, Math.max(250, width * 0.62)));
  const names = [];
  for (const one of series) if (one.name && !names.some((known) => known.name === one.name)) names.push(one);
  const columns = Math.min(names.length, Math.floor((width - 72) / 110));
  const legend = 22 * Math.ceil(names.length / columns);
  const box = { left: 58, right: width - 14, top: 14 + legend, bottom: height - 46 };
  const across = (value) => box.left + x.place(value) * (box.right - box.left);
  const up = (value) => box.bottom - y.place(value) * (box.bottom - box.top);
  const svg = element("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": describe });

  for (const tick of x.ticks) {
    const at = across(x.log ? 10 ** tick : tick);
    svg.append(element("path", { class: "grid", d: `M${at} ${box.top}V${box.bottom}` }));
    svg.append(text({ x: at, y: box.bottom + 19, "text-anchor": "middle" }, x.name(tick)));
  }
  for (const tick of y.ticks) {
    const at = up(y.log ? 10 ** tick : tick);
    svg.append(element("path", { class: "grid", d: `M${box.left} ${at}H${box.right}` }));
    svg.append(text({ x: box.left - 8, y: at + 4.5, "text-anchor": "end" }, y.name(tick)));
  }
  for (const at of ticksOn) svg.append(element("path", { class: "frame", d: `M${across(at)} ${box.bottom}v-7` }));
  svg.append(element("path", { class: "frame", d: `M${box.left} ${box.top}V${box.bottom}H${box.right}` }));
  svg.append(text({ x: (box.left + box.right) / 2, y: height - 8, "text-anchor": "middle" }, x.label));
  const middle = (box.top + box.bottom) / 2;
  svg.append(text({ transform: `translate(15 ${middle}) rotate(-90)`, "text-anchor": "middle" }, y.label));

  const clip = `clip-${figure.id}`;
  const inside = element("g", { "clip-path": `url(#${clip})` });
  const frame = { x: box.left, y: box.top - 2, width: box.right - box.left + 2, height: box.bottom - box.top + 4 };
  svg.append(element("clipPath", { id: clip }, element("rect", frame)), inside);
  for (const { x: xs, y: ys, kind } of series) {
    let path = "";
    let pen = "M";
    xs.forEach((value, k) => {
      const [a, b] = [across(value), up(ys[k])];
      // time 0, which a logarithmic axis has not, is the left edge
      const place = a === -Infinity ? box.left : a;
      const drawn = Number.isFinite(place) && Number.isFinite(b);
      if (drawn) path += `${pen}${place.toFixed(1)} ${b.toFixed(1)}`;
      pen = drawn ? "L" : "M";
    });
    inside.append(element("path", { class: `series ${kind}`, d: path }));
  }
  if (cursor !== undefined) {
    svg.append(element("path", { class: "cursor", d: `M${across(cursor)} ${box.top}V${box.bottom}` }));
  }
  for (const { x: a, y: b, kind } of marks) {
    const [cx, cy] = [across(a), up(b)];
    if (Number.isFinite(cx) && Number.isFinite(cy)) svg.append(element("circle", { class: `mark ${kind}`, cx, cy, r: 6 }));
  }
  const key = element("g", { class: "legend" });
  names.forEach(({ name, kind }, k) => {
    const left = box.left + ((k % columns) * (box.right - box.left)) / columns;
    const at = 17 + 22 * Math.floor(k / columns);
    key.append(element("path", { class: `series ${kind}`, d: `M${left} ${at}h22` }), text({ x: left + 28, y: at + 4.5 }, name));
  });
  svg.append(key);
  put(figure, svg);
}

/** The drawing of a figure in place of its last one. */
export function put(figure, svg) {
  figure.querySelector("svg")?.remove();
  figure.append(svg);
}
