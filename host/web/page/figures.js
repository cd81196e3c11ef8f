// The five figures.
import { Axis, draw, linearAxis, logAxis, steps } from "./chart.js";
import { drawMaps } from "./heat.js";
import { LOSSES } from "./runs.js";

const SAMPLES = 6;
const NAMES = { "cross-entropy": "cross-entropy", mse: "squared error" };
const find = (id) => document.getElementById(id);

const timeAxis = () => new Axis({ from: -2, to: 40, ticks: steps(0, 40, 6), label: "gradient-flow time t" }).ofDecades();

export function drawAll(runs, { loss, time }) {
  const run = runs.of[loss];
  outputs(run.rows, time);
  heat(run.rows, loss, time);
  curve(run.rows, loss, time);
  drift(runs.of, time);
  margin(runs.of, time);
}

function outputs(rows, time) {
  const x = rows.series("decade");
  const lines = (name, kind, words) =>
    Array.from({ length: SAMPLES }, (_, i) => ({
      x,
      y: rows.series(name, i),
      kind: typeof kind === "string" ? kind : kind[i % 2],
      name: typeof words === "string" ? words : words[i % 2],
    }));
  const series = [
    ...lines("network", ["second", "first"], ["class 0", "class 1"]),
    ...lines("linearized", "linearized", "K_0 fixed"),
    ...lines("infinite", "infinite", "Θ fixed"),
  ];
  const y = linearAxis(series.flatMap((one) => one.y), "output f_t(x_i)");
  draw(find("outputs"), { x: timeAxis(), y, series, cursor: time, describe: "Outputs of the network on six samples against time" });
}

function heat(rows, loss, time) {
  const k = rows.at(time);
  const maps = [
    { name: "K_0", values: [...rows.all(0, "kernel")] },
    { name: "K_t", values: [...rows.all(k, "kernel")] },
    { name: "Θ, infinite width", values: [...rows.all(-1, "kernel")] },
  ];
  const largest = Math.max(...maps[1].values).toPrecision(3);
  drawMaps(find("heat"), maps, SAMPLES, `Kernels of six samples as heat maps; the largest entry at time t is ${largest}`);
}

function curve(rows, loss, time) {
  const k = rows.at(time);
  const around = rows.layout.curve.count;
  const x = Array.from({ length: around + 1 }, (_, at) => (360 * at) / around - 180);
  // the circle is closed
  const closed = (numbers) => [...numbers, numbers[0]];
  const series = [
    { x, y: closed(rows.all(k, "curve")), kind: loss, name: "K_t" },
    { x, y: closed(rows.all(0, "curve")), kind: "linearized", name: "K_0" },
    { x, y: closed(rows.all(-1, "curve")), kind: "infinite", name: "Θ" },
  ];
  const ticks = [-180, -120, -60, 0, 60, 120, 180];
  const axis = new Axis({ from: -180, to: 180, ticks, label: "angle φ of x in degrees" });
  const y = linearAxis(series.flatMap((one) => one.y), "K((1, 0), x)");
  draw(find("curve"), { x: axis, y, series, ticksOn: ticks, describe: "The kernel between (1, 0) and x around the circle" });
}

/** Of both losses, each with what `of` takes from its run. */
const both = (all, of) =>
  LOSSES.filter((loss) => all[loss].rows).map((loss) => ({ ...of(all[loss]), kind: loss, name: NAMES[loss] }));

function drift(all, time) {
  const series = both(all, ({ rows }) => ({ x: rows.series("decade"), y: rows.series("drift_fro") }));
  const y = logAxis(series.flatMap((one) => one.y), "relative drift", [-4, 4]);
  draw(find("drift"), { x: timeAxis(), y, series, cursor: time, describe: "Drift of the kernel against time, for both losses" });
}

function margin(all, time) {
  const series = both(all, ({ rows }) => ({ x: rows.series("margin_mean"), y: rows.series("drift_fro") }));
  const marks = both(all, ({ rows }) => {
    const k = rows.at(time);
    return { x: rows.one(k, "margin_mean"), y: rows.one(k, "drift_fro") };
  });
  const x = logAxis(series.flatMap((one) => one.x), "mean margin", [-2, 3]);
  const y = logAxis(series.flatMap((one) => one.y), "relative drift", [-4, 4]);
  draw(find("margin"), { x, y, series, marks, describe: "Drift of the kernel against the mean margin, for both losses" });
}
