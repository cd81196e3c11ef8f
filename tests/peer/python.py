"""Seconds and peak memory of an exact empirical NTK beside other libraries, on the network 784-512-512-10 (ReLU, with biases).

    python3 -m venv /tmp/own && /tmp/own/bin/pip install ./host/python
    python3 -m venv /tmp/torch && /tmp/torch/bin/pip install torch
    python3 -m venv /tmp/peer && /tmp/peer/bin/pip install jax==0.4.25 jaxlib==0.4.25 'numpy<2' 'scipy<1.13' neural-tangents==0.6.5
    /tmp/own/bin/python tests/peer/python.py --torch /tmp/torch/bin/python --jax /tmp/peer/bin/python

Every case is a process of its own, with the same parameters and samples in float32 and all cores. Seconds are the median of three calls
after one that is not counted (compilation, threads), or the only call where one takes more than half a minute; memory is by how much the
process has grown since before the first call. torch.func and the Jacobians of neural-tangents are taken in blocks of 100 samples, because
a Jacobian of all does not fit. A case whose time, by the last smaller n and the ratio of pairs, passes the limit is not run, and says about
how long it would take. All cases take some twenty minutes.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SIZES = [784, 512, 512, 10]
OUTPUTS = SIZES[-1]
# a Jacobian of one sample has 10 x 669,706 numbers, 27 MB
BLOCK = 100

CASES = [
    ("ntkscope", "trace"),
    ("ntkscope", "full"),
    ("neural-tangents, structured derivatives", "trace"),
    ("neural-tangents, structured derivatives", "full"),
    ("neural-tangents, NTK-vector products", "trace"),
    ("neural-tangents, Jacobian contraction", "trace"),
    ("torch.func, Jacobian contraction", "trace"),
    ("torch.func, Jacobian contraction", "full"),
    ("torch.func, NTK-vector products", "full"),
]


def ntkscope(_: str, outputs: str, state: dict[str, Any], x: Any) -> Callable[[], Any]:
    import ntkscope as ns

    net = ns.from_state_dict(state, "relu")
    return lambda: ns.ntk(net, x, outputs=outputs)


def neural_tangents(mode: str, outputs: str, state: dict[str, Any], x: Any) -> Callable[[], Any]:
    import jax
    import neural_tangents as nt
    import numpy as np

    implementation = {
        "structured derivatives": nt.NtkImplementation.STRUCTURED_DERIVATIVES,
        "NTK-vector products": nt.NtkImplementation.NTK_VECTOR_PRODUCTS,
        "Jacobian contraction": nt.NtkImplementation.JACOBIAN_CONTRACTION,
    }[mode]

    def f(params: list[tuple[Any, Any]], x: Any) -> Any:
        for index, (weight, bias) in enumerate(params):
            x = x @ weight + bias
            if index + 1 < len(params):
                x = jax.nn.relu(x)
        return x

    # stored as (inputs, outputs): structured derivatives do not see through a transposition, and take hundreds of times as long
    weights = [np.ascontiguousarray(state[f"{layer}.weight"].T) for layer in (0, 2, 4)]
    params = [(jax.numpy.asarray(w), jax.numpy.asarray(state[f"{2 * l}.bias"])) for l, w in enumerate(weights)]
    axes = (-1,) if outputs == "trace" else ()
    kernel_fn = jax.jit(nt.empirical_ntk_fn(f, trace_axes=axes, vmap_axes=0, implementation=implementation))
    n = len(x)

    def whole() -> Any:
        return np.asarray(kernel_fn(x, None, params))

    def blocks() -> Any:
        """The rows of a block of samples against each block: what fits into memory."""
        shape = (n, n) if outputs == "trace" else (n, n, OUTPUTS, OUTPUTS)
        kernel = np.empty(shape, np.float32)
        for i in range(0, n, BLOCK):
            for j in range(0, n, BLOCK):
                kernel[i : i + BLOCK, j : j + BLOCK] = kernel_fn(x[i : i + BLOCK], x[j : j + BLOCK], params)
        return kernel

    small = mode == "structured derivatives" and n * n * (1 if outputs == "trace" else OUTPUTS**2) <= 100_000_000
    call = whole if small or n <= BLOCK else blocks
    return lambda: rows(call(), outputs)


def torch_func(mode: str, outputs: str, state: dict[str, Any], x: Any) -> Callable[[], Any]:
    import torch
    from torch.func import functional_call, jacrev, jvp, vjp, vmap

    layers: list[torch.nn.Module] = []
    for index, (inputs, width) in enumerate(zip(SIZES, SIZES[1:], strict=False)):
        layers += [torch.nn.Linear(inputs, width)] + ([torch.nn.ReLU()] if index + 2 < len(SIZES) else [])
    model = torch.nn.Sequential(*layers)
    params = {name: torch.from_numpy(value) for name, value in state.items()}
    samples = torch.from_numpy(x)

    def f(params: Any, sample: Any) -> Any:
        return functional_call(model, params, (sample[None],))[0]

    def jacobians(samples: Any) -> list[Any]:
        by_name = vmap(jacrev(f), (None, 0))(params, samples)
        return [array.flatten(2) for array in by_name.values()]

    equation = "naf,maf->nm" if outputs == "trace" else "naf,mbf->nmab"

    def contraction() -> Any:
        kernel = None
        for i in range(0, len(x), BLOCK):
            left = jacobians(samples[i : i + BLOCK])
            for j in range(0, len(x), BLOCK):
                right = left if i == j else jacobians(samples[j : j + BLOCK])
                block = sum(torch.einsum(equation, a, b) for a, b in zip(left, right, strict=True))
                if kernel is None:
                    kernel = torch.empty((len(x), len(x), *block.shape[2:]))
                kernel[i : i + BLOCK, j : j + BLOCK] = block
        assert kernel is not None
        return kernel.numpy() / (OUTPUTS if outputs == "trace" else 1)

    def products() -> Any:
        """Theta(x1, x2) e_b = J_1 J_2^T e_b, as in PyTorch's tutorial on the NTK."""

        def of_pair(x1: Any, x2: Any) -> Any:
            def column(e: Any) -> Any:
                (cotangent,) = vjp(lambda params: f(params, x2), params)[1](e)
                return jvp(lambda params: f(params, x1), (params,), (cotangent,))[1]

            return vmap(column, out_dims=1)(torch.eye(OUTPUTS))

        # 27 MB a pair: chunks of pairs, as in blocks of Jacobians
        rows = [vmap(of_pair, (None, 0), chunk_size=50)(x1, samples) for x1 in samples]
        return torch.stack(rows).numpy()

    call = contraction if mode == "Jacobian contraction" else products
    return lambda: rows(call(), outputs)


def rows(kernel: Any, outputs: str) -> Any:
    """Blocks of outputs as rows: (n C, n C) of (n, n, C, C)."""
    if outputs == "trace":
        return kernel
    n = len(kernel)
    return kernel.transpose(0, 2, 1, 3).reshape(n * OUTPUTS, n * OUTPUTS)


def case(tool: str, outputs: str, n: int, folder: Path) -> None:
    import numpy as np

    state = dict(np.load(folder / "model.npz"))
    x = np.load(folder / "x.npy")[:n]
    name, _, mode = tool.partition(", ")
    make = {"ntkscope": ntkscope, "neural-tangents": neural_tangents, "torch.func": torch_func}[name]
    call = make(mode, outputs, state, x)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = []
    while len(seconds) < 4:
        kernel = None  # or two of them are held at a time
        start = time.perf_counter()
        kernel = call()
        seconds.append(time.perf_counter() - start)
        if seconds[0] > 30:
            break
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    corner = np.ascontiguousarray(kernel[:20, :20], dtype=np.float64)
    timed = seconds[1:] if len(seconds) > 1 else seconds
    print(json.dumps({"seconds": sorted(timed)[len(timed) // 2], "mib": peak / 1024, "corner": corner.tolist()}))


def measure(python: str, tool: str, outputs: str, n: int, folder: Path, limit: float, memory: int) -> dict[str, Any]:
    # a shell's limit on the address space ends a case before the machine swaps
    command = [python, __file__, "--case", tool, outputs, str(n), str(folder)]
    limited = ["bash", "-c", f'ulimit -v {memory * 1024 * 1024}; exec "$@"', "case", *command]
    try:
        done = subprocess.run(limited, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return {"failed": f"more than {limit / 60:.0f} min"}
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        return {"failed": "out of memory" if "emory" in done.stderr else last[0][:60]}
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--torch", metavar="PYTHON", help="interpreter that has torch")
    parser.add_argument("--jax", metavar="PYTHON", help="interpreter that has neural-tangents")
    parser.add_argument("--n", type=int, nargs="+", default=[100, 1000, 4000])
    parser.add_argument("--x", type=Path, help="samples (n, 784) as .npy; standard normal ones otherwise")
    parser.add_argument("--limit", type=float, default=300, help="seconds a case may take")
    parser.add_argument("--memory", type=int, default=22, help="GiB that a case may map")
    parser.add_argument("--case", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.case:
        tool, outputs, n, folder = given.case
        case(tool, outputs, int(n), Path(folder))
        return

    import numpy as np

    random = np.random.default_rng(0)
    interpreters = {"ntkscope": sys.executable, "neural-tangents": given.jax, "torch.func": given.torch}
    with tempfile.TemporaryDirectory() as folder:
        state = {}
        for index, (inputs, width) in enumerate(zip(SIZES, SIZES[1:], strict=False)):
            bound = inputs**-0.5
            state[f"{2 * index}.weight"] = random.uniform(-bound, bound, (width, inputs)).astype(np.float32)
            state[f"{2 * index}.bias"] = random.uniform(-bound, bound, width).astype(np.float32)
        np.savez(Path(folder) / "model.npz", **state)
        x = np.load(given.x) if given.x else random.standard_normal((max(given.n), SIZES[0]))
        np.save(Path(folder) / "x.npy", np.ascontiguousarray(x, dtype=np.float32))

        print("| library | outputs | n | seconds | times ntkscope | MiB | largest difference |\n| --- | --- | ---: | ---: | ---: | ---: | ---: |")
        ours: dict[tuple[str, int], dict[str, Any]] = {}
        before: dict[tuple[str, str], tuple[int, float]] = {}
        failed: set[tuple[str, str]] = set()
        for n in given.n:
            for tool, outputs in CASES:
                python = interpreters[tool.partition(", ")[0]]
                if python is None or (tool, outputs) in failed:
                    continue
                smaller, seconds = before.get((tool, outputs), (n, 0.0))
                seconds *= (n / smaller) ** 2
                if seconds > given.limit:
                    ratio = seconds / ours[outputs, n]["seconds"]
                    print(f"| {tool} | {outputs} | {n} | about {seconds:.3g} | about {ratio:.3g} | | |", flush=True)
                    continue
                result = measure(python, tool, outputs, n, Path(folder), 2 * given.limit, given.memory)
                if "failed" in result:
                    failed.add((tool, outputs))
                    print(f"| {tool} | {outputs} | {n} | {result['failed']} | | | |", flush=True)
                    continue
                if tool == "ntkscope":
                    ours[outputs, n] = result
                before[tool, outputs] = (n, result["seconds"])
                reference = ours[outputs, n]
                corner, exact = np.array(result["corner"]), np.array(reference["corner"])
                off = np.abs(corner - exact).max() / np.abs(exact).max()
                ratio = result["seconds"] / reference["seconds"]
                row = f"{result['seconds']:.3g} | {ratio:.3g} | {result['mib']:.0f} | {off:.1e}"
                print(f"| {tool} | {outputs} | {n} | {row} |", flush=True)


if __name__ == "__main__":
    main()
