// The engine: core as WebAssembly, and what its rows hold. The same file serves the page's workers and the test in node.

/** Unpacks and compiles what `cargo xtask web` has built. */
export async function compile(packed) {
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return WebAssembly.compile(await new Response(stream).arrayBuffer());
}

/** An instance; `observed(rows, count, recorded)` is told of every new row of a run, the row of the limit being the first. */
export async function instantiate(module, observed = () => {}) {
  let text = "";
  let row = 0;
  const memory = () => instance.exports.memory.buffer;
  const page = {
    said: (at, length) => (text = new TextDecoder().decode(new Uint8Array(memory(), at, length))),
    // a copy: the memory is the engine's
    observed: (at, count, recorded) => observed(new Float32Array(memory(), at, row * (count + 1)).slice(), count, recorded),
  };
  const instance = await WebAssembly.instantiate(module, { page });
  const engine = instance.exports;
  const digest = (value) => BigInt.asUintN(64, value).toString(16).padStart(16, "0");
  const order = ({ width, depth, mirrored, crossEntropy, seed }) => [width, depth, mirrored, crossEntropy, seed];
  const checked = (value) => {
    if (value === 0n) throw new Error(text);
    return digest(value);
  };
  row = engine.layout();
  const layout = places(text);
  engine.offers();
  const [widths, depths, deviceWidth] = text.split("\n");
  return {
    row,
    layout,
    /** What the controls offer. */
    offers: { widths: widths.trim().split(" ").map(Number), depths: Number(depths), deviceWidth: Number(deviceWidth) },
    /** Trains, and hands back the digest of all that the command line records. */
    train: (settings) => checked(engine.train(...order(settings))),
    /** The command line of the same run. */
    command: (settings) => (engine.command(...order(settings)), text),
    /** The digest of the microcontroller's experiment. */
    device: (width) => checked(engine.device(width)),
  };
}

/** From lines `name count`: where in a row the numbers of each name begin, and how many they are. */
function places(lines) {
  const found = {};
  let at = 0;
  for (const line of lines.trim().split("\n")) {
    const [name, count] = line.split(" ");
    found[name] = { at, count: Number(count) };
    at += Number(count);
  }
  return found;
}

/** The rows of a run. */
export class Rows {
  constructor(numbers, count, recorded, { row, layout }) {
    Object.assign(this, { numbers, count, recorded, row, layout });
  }
  /** All numbers of a name in row k; the limit of infinite width is row -1. */
  all(k, name) {
    const { at, count } = this.layout[name];
    const start = (k + 1) * this.row + at;
    return this.numbers.subarray(start, start + count);
  }
  /** One number. */
  one(k, name) {
    return this.all(k, name)[0];
  }
  /** A number of every row. */
  series(name, index = 0) {
    return Array.from({ length: this.count }, (_, k) => this.all(k, name)[index]);
  }
  /** The row nearest to 10^decade; the first, at time 0, counts as a decade before the second. */
  at(decade) {
    const when = (k) => Math.max(this.one(k, "decade"), k === 0 ? this.one(1, "decade") - 1 : -Infinity);
    let k = 0;
    while (k + 1 < this.count && when(k) + when(k + 1) <= 2 * decade) k += 1;
    return k;
  }
}
