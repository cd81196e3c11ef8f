"""How far the neural tangent kernel of an MLP moves while PyTorch trains it on digits.

    python mnist_drift.py [FOLDER] [--width 256] [--steps 1000] [--report drift.html]

FOLDER holds MNIST's idx files (``ntkscope data fetch mnist --data-dir FOLDER`` downloads them); without it the samples are blurred noise
about ten centres, which need nothing.
"""

from __future__ import annotations

import argparse
import gzip
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import ntkscope as ns

Samples = tuple[NDArray[np.float32], NDArray[np.int64]]


def idx(path: Path) -> NDArray[np.uint8]:
    """The array of an idx file, plain or compressed: 2 bytes of 0, type, dimensions, their sizes, the numbers."""
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    shape = np.frombuffer(content, ">u4", count=content[3], offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * content[3]).reshape(shape)


def mnist(folder: Path) -> Samples:
    """Images as rows of norm 1, and their digits."""
    files = {part: sorted(folder.glob(f"train-{part}*"))[0] for part in ("images", "labels")}
    images = idx(files["images"]).reshape(-1, 784).astype(np.float32)
    return images / np.linalg.norm(images, axis=1, keepdims=True), idx(files["labels"]).astype(np.int64)


def synthetic(count: int = 4000) -> Samples:
    """Ten classes of rows of 784 numbers, of norm 1."""
    rng = np.random.default_rng(0)
    centres, labels = rng.normal(size=(10, 784)), rng.integers(0, 10, size=count)
    x = centres[labels] + 2.0 * rng.normal(size=(count, 784))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), labels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=1.0)
    parser.add_argument("--report", type=Path, default=Path("drift.html"))
    options = parser.parse_args()

    torch: Any = __import__("torch")
    x, y = synthetic() if options.folder is None else mnist(options.folder)
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(784, options.width), torch.nn.GELU(), torch.nn.Linear(options.width, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=options.rate)
    inputs, labels = torch.from_numpy(x), torch.from_numpy(y)

    probe = x[:100]
    recorder = ns.Recorder(probe, y[:100], loss="cross-entropy", rate=options.rate)
    shown = 0
    for step in range(options.steps + 1):
        snapshot = recorder(model, step)
        if snapshot is not None and (step == 0 or step >= 2 * shown):
            shown = step
            loss, drift = snapshot["loss"], 100 * snapshot["drift_fro"]
            print(f"step {step:5}: loss {loss:.4f}, the kernel has moved by {drift:6.2f} % of its norm")
        batch = torch.randint(0, len(x), (128,))
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(inputs[batch]), labels[batch]).backward()
        optimizer.step()

    # the same kernel once more, from the model as it is
    kernel = ns.ntk(ns.from_torch(model), probe, outputs="trace")
    print(ns.spectrum(kernel))
    print(ns.compare(kernel, recorder.kernels[0]))
    recorder.report(options.report)
    print(f"figures: {options.report}")


if __name__ == "__main__":
    main()
