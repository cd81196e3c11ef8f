// One computation off the page's own thread: a run of one loss, or the microcontroller's experiment.
import { instantiate } from "./engine.js";

/** Milliseconds between two pictures of a run. */
const PAUSE = 80;

onmessage = async ({ data: { module, settings, device } }) => {
  try {
    if (device) {
      postMessage({ digest: (await instantiate(module)).device(device) });
      return;
    }
    let last = 0;
    let latest;
    const engine = await instantiate(module, (numbers, count, recorded) => {
      latest = { numbers, count, recorded };
      if (performance.now() - last > PAUSE) {
        last = performance.now();
        postMessage(latest);
      }
    });
    const digest = engine.train(settings);
    postMessage({ ...latest, digest });
  } catch (error) {
    postMessage({ error: error.message });
  }
};
