// The computations at hand: the runs of both losses side by side, which end as soon as a control moves.
import { Rows } from "./engine.js";

export const LOSSES = ["cross-entropy", "mse"];

/** Calls `report(message)` for all that a worker says; `end()` stops it wherever it is. */
function start(order, report) {
  const worker = new Worker("./worker.js", { type: "module" });
  worker.onmessage = ({ data }) => {
    if (data.digest || data.error) worker.terminate();
    report(data);
  };
  worker.onerror = () => report({ error: "the browser could not start a worker" });
  worker.postMessage(order);
  return { end: () => worker.terminate() };
}

/** The runs of one setting. */
export class Runs {
  #workers = [];

  /** `changed()` is called whenever there is more to show. */
  constructor(module, engine, changed) {
    Object.assign(this, { module, engine, changed });
    this.clear();
  }

  clear() {
    this.#workers.forEach((worker) => worker.end());
    this.#workers = [];
    this.of = Object.fromEntries(LOSSES.map((loss) => [loss, {}]));
  }

  /** Trains with both losses. What was computed before is dropped. */
  train(settings) {
    this.clear();
    this.#workers = LOSSES.map((loss) => {
      const run = this.of[loss];
      return start({ module: this.module, settings: { ...settings, crossEntropy: loss === "cross-entropy" } }, (told) => {
        if (told.numbers) run.rows = new Rows(told.numbers, told.count, told.recorded, this.engine);
        run.digest = told.digest;
        run.error = told.error;
        this.changed();
      });
    });
  }

  /** Whether both are done. */
  get done() {
    return LOSSES.every((loss) => this.of[loss].digest || this.of[loss].error);
  }
}

/** The digest of the microcontroller's experiment. */
export const device = (module, width) =>
  new Promise((resolve, reject) =>
    start({ module, device: width }, ({ digest, error }) => (digest ? resolve(digest) : reject(new Error(error)))),
  );
