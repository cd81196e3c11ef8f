// In node: the engine as WebAssembly has the bits that `cargo xtask web` has computed natively and compared with the command line.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

const page = process.env.NTKSCOPE_PAGE;
const expected = JSON.parse(readFileSync(process.env.NTKSCOPE_EXPECTED, "utf8"));
const { compile, instantiate, Rows } = await import(pathToFileURL(join(page, "engine.js")));
const module = await compile(readFileSync(join(page, "engine.bin")));

for (const { settings, command, digest, rows } of expected.runs) {
  test(command, async () => {
    let seen = [];
    const engine = await instantiate(module, (numbers, count, recorded) => seen.push({ numbers, count, recorded }));
    assert.equal(engine.command(settings), command);
    assert.equal(engine.train(settings), digest);
    assert.deepEqual(seen.map(({ count }) => count), Array.from({ length: rows }, (_, k) => k + 1), "a row at a time");
    const { numbers, count, recorded } = seen.at(-1);
    const run = new Rows(numbers, count, recorded, engine);
    assert.deepEqual([run.one(0, "step"), run.one(0, "decade"), run.one(0, "drift_fro")], [0, -Infinity, 0]);
    assert.ok(run.series("decade").every((decade, k, all) => k === 0 || decade >= all[k - 1]), "time goes on");
    // a second run in the same memory has nothing of the first
    assert.equal(engine.train(settings), digest);
  });
}

test("the microcontroller's experiment", async () => {
  const engine = await instantiate(module);
  assert.equal(engine.device(engine.offers.deviceWidth), expected.device);
});

test("rows are read by their names", async () => {
  let last;
  const engine = await instantiate(module, (numbers, count, recorded) => (last = new Rows(numbers, count, recorded, engine)));
  engine.train({ width: 8, depth: 2, mirrored: true, crossEntropy: true, seed: 1 });
  const [kernel, curve] = [last.all(0, "kernel"), last.all(0, "curve")];
  // the last sample is (1, 0), half-way around the curve
  assert.equal(kernel[35], curve[curve.length / 2]);
  assert.ok(Math.abs(last.all(-1, "kernel")[35] - 6) < 1e-5, "Theta(x, x) = (L + 1)(|x|^2 + 1)");
  assert.deepEqual([...last.all(0, "network")], [0, 0, 0, 0, 0, 0]);
  assert.deepEqual([...last.all(0, "linearized")], [0, 0, 0, 0, 0, 0]);
  assert.equal(last.at(-3), 0);
  assert.equal(last.at(41), last.count - 1);
});

test("settings that are not offered are refused with a reason", async () => {
  const engine = await instantiate(module);
  const good = { width: 8, depth: 2, mirrored: true, crossEntropy: true, seed: 1 };
  for (const wrong of [{ width: 7 }, { depth: 0 }, { depth: 9 }]) {
    assert.throws(() => engine.train({ ...good, ...wrong }), /not offered/);
  }
});

test("the page asks nothing of other places", () => {
  for (const name of readdirSync(page).filter((name) => /\.(html|css|js)$/.test(name))) {
    const text = readFileSync(join(page, name), "utf8").replace('"http://www.w3.org/2000/svg"', "");
    assert.doesNotMatch(text, /https?:|@import|<script>|style="|\bon[a-z]+="/, name);
  }
});
