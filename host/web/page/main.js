// The page: what the controls say, which runs that asks for, and what is shown of them.
import { compile, instantiate } from "./engine.js";
import { device, LOSSES, Runs } from "./runs.js";
import { drawAll } from "./figures.js";
import { short } from "./heat.js";

const INITS = ["mirrored", "standard"];
/** The last power of ten on the slider of time. */
const END = 40;
const NAMES = { "cross-entropy": "cross-entropy", mse: "squared error" };

const find = (id) => document.getElementById(id);
const controls = Object.fromEntries(["width", "depth", "init", "loss", "seed", "time"].map((id) => [id, find(id)]));

/** What the controls say. */
function read() {
  const number = (id) => Number(controls[id].value);
  return {
    width: engine.offers.widths[number("width")],
    depth: number("depth"),
    init: INITS[number("init")],
    loss: LOSSES[number("loss")],
    seed: number("seed"),
    time: number("time"),
  };
}

/** Sets controls from `width=64 init=standard`. */
function set(text) {
  for (const word of text.split(" ")) {
    const [id, value] = word.split("=");
    const lists = { width: engine.offers.widths.map(String), init: INITS, loss: LOSSES };
    controls[id].value = lists[id] ? lists[id].indexOf(value) : value;
  }
  settle(true);
}

/** A power of ten, its exponent in superscript digits. */
function power(decade) {
  const digits = { "-": "⁻", ".": "·" };
  const raised = [...String(decade)].map((digit) => digits[digit] ?? "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)]);
  return `10${raised.join("")}`;
}

function show(id, shown, said = shown) {
  find(`${id}-value`).textContent = shown;
  controls[id].setAttribute("aria-valuetext", said);
}

function showControls({ width, depth, init, loss, seed, time }) {
  show("width", String(width));
  show("depth", String(depth));
  show("init", init);
  show("loss", NAMES[loss]);
  show("seed", String(seed));
  show("time", power(time), `10 to the power of ${time}`);
}

const plain = ({ width, depth, init, seed }) => ({ width, depth, mirrored: init === "mirrored", seed });

let engine;
let runs;
let trained = "";
let asked = 0;

/** What follows from the controls: other runs where the network has changed, in any case other pictures. */
function settle(at_once = false) {
  const chosen = read();
  showControls(chosen);
  const wanted = JSON.stringify(plain(chosen));
  if (wanted !== trained) {
    trained = wanted;
    runs.clear();
    find("status").dataset.done = false;
    clearTimeout(asked);
    // a slider passes by many networks on its way
    asked = setTimeout(() => runs.train(plain(chosen)), at_once ? 0 : 120);
  }
  picture();
}

let pending = false;
/** The pictures, once for every frame of the screen. */
function picture() {
  if (pending) return;
  pending = true;
  requestAnimationFrame(() => {
    pending = false;
    const chosen = read();
    const run = runs.of[chosen.loss];
    status(chosen, run);
    bits(chosen, run);
    if (run.rows) {
      drawAll(runs, chosen);
      now(chosen, run.rows);
    }
  });
}

function status(chosen, { rows, digest, error }) {
  find("alarm").hidden = !error;
  find("alarm").textContent = error ? `Training stopped: ${error}.` : "";
  const last = rows?.one(rows.count - 1, "decade");
  const far = rows ? `at t = ${last > -Infinity ? power(Math.round(last)) : 0}, step ${rows.one(rows.count - 1, "step")}` : "";
  const what = `${NAMES[chosen.loss]}, width ${chosen.width}, depth ${chosen.depth}, ${chosen.init}, seed ${chosen.seed}`;
  const end = last < END ? `stopped ${far}, where the steps are used up` : "done";
  const rest = runs.done ? "" : "; the other loss goes on";
  const words = digest ? `Trained with ${what}: ${end}${rest}.` : `Training with ${what}.`;
  // what is said aloud changes seldom, unlike the progress beside it
  if (find("status").textContent !== words) find("status").textContent = words;
  find("progress").textContent = digest ? "" : far;
  find("status").dataset.done = runs.done;
}

function bits(chosen, { rows, digest }) {
  find("run-digest").textContent = digest ?? "computing";
  find("run-what").textContent = digest ? `(${rows.recorded} rows of ${rows.layout.network.at - 1} columns)` : "";
  find("command").textContent = engine.command({ ...plain(chosen), crossEntropy: chosen.loss === "cross-entropy" });
}

/** The numbers at the time of the slider. */
function now(chosen, rows) {
  const k = rows.at(chosen.time);
  const lines = [
    ["time t", k === 0 ? "0" : power(rows.one(k, "decade").toFixed(2))],
    ["steps of the flow", String(rows.one(k, "step"))],
    ["mean loss", rows.one(k, "loss").toExponential(2).replace("-", "−")],
    ["mean margin", short(rows.one(k, "margin_mean"))],
    ["drift from K₀, relative", short(rows.one(k, "drift_fro"))],
    ["distance from Θ, relative", short(rows.one(k, "error_fro"))],
    ["alignment of Kₜ with K₀", rows.one(k, "alignment").toFixed(4)],
    ["eigenvalues of Kₜ, least and largest", `${short(rows.one(k, "lambda_min"))}, ${short(rows.one(k, "lambda_max"))}`],
    ["distance of the weights from θ₀", short(rows.one(k, "param_distance"))],
    ["units held on their kinks, summed over samples", String(rows.one(k, "sliding"))],
  ];
  const list = find("now");
  list.replaceChildren(
    ...lines.flatMap(([name, value]) => {
      const [term, said] = [document.createElement("dt"), document.createElement("dd")];
      term.textContent = name;
      said.textContent = value;
      return [term, said];
    }),
  );
}

async function begin() {
  const module = await compile(await (await fetch("engine.bin")).arrayBuffer());
  engine = await instantiate(module);
  for (const control of Object.values(controls)) control.addEventListener("input", () => settle());
  for (const button of document.querySelectorAll("[data-set]")) {
    button.addEventListener("click", () => {
      set(button.dataset.set);
      find("status").scrollIntoView({ block: "start" });
    });
  }
  find("copy").addEventListener("click", async () => {
    await navigator.clipboard.writeText(find("command").textContent);
    find("copy").textContent = "Copied";
    setTimeout(() => (find("copy").textContent = "Copy"), 2000);
  });
  const { widths, depths, deviceWidth } = engine.offers;
  controls.width.max = widths.length - 1;
  controls.depth.max = depths;
  find("device-width").textContent = deviceWidth;
  runs = new Runs(module, engine, picture);
  settle(true);
  new ResizeObserver(picture).observe(find("figures"));
  find("device-digest").textContent = await device(module, deviceWidth);
}

begin().catch((error) => {
  find("alarm").hidden = false;
  find("alarm").textContent = `The engine could not be started: ${error.message}`;
});
