"""ntkscope beside neural-tangents' NTK-vector products with SciPy's eigsh, and numpy: what is found from products K v alone.

    python3 -m venv /tmp/peer
    /tmp/peer/bin/pip install jax==0.4.25 jaxlib==0.4.25 'numpy<2' neural-tangents==0.6.5 scipy
    cargo build --release
    /tmp/peer/bin/python tests/peer/products.py [--n 2000,10000] [--rounds 3] [--dense 4000]

A network of three hidden layers of 512 units, one output, f64, on n samples of unit norm in 784 dimensions; both programs
have the same parameters and samples. ntkscope's `spectrum` looks for the six largest and the six smallest eigenvalues of the
empirical NTK with at most --products products; eigsh (implicitly restarted Lanczos, ARPACK) is given the peer's products,
compiled, and looks for the six largest to the same residual, then for the smallest with as many products as ntkscope took.
Their largest eigenvalues must agree. Then `regress`, kernel ridge regression with that kernel by conjugate gradients, beside
the dense way: the peer's kernel and numpy's solve, where n <= --dense. Programs take turns, each first in every other round;
times are of whole processes, and of a product where they are counted; peaks of memory are the system's, JAX's own included.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ENDS = 6
VECTORS = 20  # of ARPACK's space
RIDGE = 1e-4  # of `regress`: (K + n RIDGE) a = y
AGREE = 1e-9  # largest relative difference of the six largest eigenvalues
NETWORK = ["--depth", "3", "--width", "512", "--init", "standard"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ntkscope", default=str(HERE.parents[1] / "target/release/ntkscope"), help="the program")
    parser.add_argument("--n", default="2000,10000")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--products", type=int, default=128)
    parser.add_argument("--dense", type=int, default=4000, help="most samples of the dense regression")
    args = parser.parse_args()
    print("| n | what | ntkscope | peer | peer / ntkscope |\n| --- | --- | --- | --- | --- |", flush=True)
    with tempfile.TemporaryDirectory() as place:
        for n in map(int, args.n.split(",")):
            for row in rows(args, pathlib.Path(place), n):
                print("| " + " | ".join([str(n), *row]) + " |", flush=True)


def rows(args, place, n):
    data, parameters, few = samples(place, n), str(place / "P.npz"), samples(place, 64)
    once = [args.ntkscope, "kernel", "empirical", "--data", few, *NETWORK, "--params-out", parameters, "--out"]
    run([*once, str(place / "few.npz"), "--quiet"])
    given = ["--kernel", "empirical", "--params", parameters, *NETWORK, "--data", data, "--quiet", "--json"]
    spectrum = [args.ntkscope, "spectrum", *given, "--ends", str(ENDS), "--products", str(args.products)]
    # the density is not compared: the least of it
    ours, theirs = turns(
        args.rounds,
        [*spectrum, "--probes", "2", "--steps", "3"],
        [sys.executable, __file__, "eigsh", data, parameters, str(args.products)],
    )
    mine, its = ours[0], theirs[0]
    pairs = list(zip([e["value"] for e in mine["largest"]], its["largest"]))
    off = max(abs(a / b - 1) for a, b in pairs)
    assert off < AGREE, f"the largest eigenvalues differ by {off:.1e}: {pairs}"
    count = mine["products"] + mine["density_products"] * 2
    per = [o["seconds"] / count for o in ours]
    yield "both ends, whole process", *compared([o["seconds"] for o in ours], [t["seconds"] for t in theirs], "s")
    yield "a product K v", *compared(per, [t["product"] for t in theirs], "s")
    yield "products", str(mine["products"]), f"{its['for_largest']} largest, {its['for_smallest']} smallest", ""
    bound = lambda value: f"{value:.3g}"
    least = min(e["value"] for e in mine["smallest"])
    yield "smallest eigenvalue, at most", bound(least), bound(its["smallest"]) if its["smallest"] else "not found", ""
    yield "peak of memory", *compared([o["peak"] / 1e6 for o in ours], [t["peak"] / 1e6 for t in theirs], "MB")
    if n > args.dense:
        return
    regress = [args.ntkscope, "regress", *given, "--ridge", str(RIDGE), "--test", few]
    out = [str(place / name) for name in ("ours.npz", "theirs.npy")]
    ours, theirs = turns(
        args.rounds,
        [*regress, "--tolerance", "1e-8", "--out", out[0]],
        [sys.executable, __file__, "solve", data, parameters, few, out[1]],
    )
    import numpy as np

    mine, its = np.ravel(np.load(out[0])["mean"]), np.load(out[1])
    assert np.max(np.abs(mine - its)) < 1e-4, np.max(np.abs(mine - its))
    yield "ridge regression", *compared([o["seconds"] for o in ours], [t["seconds"] for t in theirs], "s")
    yield "its peak of memory", *compared([o["peak"] / 1e6 for o in ours], [t["peak"] / 1e6 for t in theirs], "MB")


def samples(place, n):
    import numpy as np

    x = np.random.default_rng(n).standard_normal((n, 784))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    file = place / f"{n}.npz"
    np.savez(file, x=x, y=np.tanh(20 * x[:, 0]))
    return str(file)


def turns(rounds, *commands):
    """What the commands print as json, with seconds and peak of memory of each, a list for each."""
    found = [[] for _ in commands]
    for round in range(rounds):
        for at in range(len(commands)) if round % 2 == 0 else reversed(range(len(commands))):
            begin = time.perf_counter()
            process = subprocess.Popen(commands[at], stdout=subprocess.PIPE, text=True)
            text = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            assert process.returncode in (0, 1), commands[at]
            unit = 1 if sys.platform == "darwin" else 1024
            told = {"seconds": time.perf_counter() - begin, "peak": unit * usage.ru_maxrss}
            found[at].append({**json.loads(text), **told})
    return found


def compared(mine, its, unit):
    ratio = statistics.median(b / a for a, b in zip(mine, its))
    return [f"{statistics.median(mine):.3g} {unit}", f"{statistics.median(its):.3g} {unit}", f"{ratio:.2f}"]


def run(command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def with_parameters(data, parameters):
    """The peer's module with JAX loaded, samples, parameters and the network's function."""
    import peer

    peer.start("f64")
    x, (params, depth, width) = peer.jnp.asarray(peer.np.load(data)["x"]), peer.saved_network(parameters)
    return peer, x, params, peer.network(x.shape[1], width, depth, 1)[1]


def eigsh(data, parameters, products):
    peer, x, params, apply = with_parameters(data, parameters)
    from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh as arpack

    product = peer.jax.jit(lambda x, params, v: peer.nt.empirical_ntk_vp_fn(apply, x, None, params)(v))
    seconds = []

    def times(v):
        begin = time.perf_counter()
        result = peer.np.asarray(product(x, params, v.reshape(-1, 1))).reshape(-1)
        seconds.append(time.perf_counter() - begin)
        return result

    kernel = LinearOperator((len(x), len(x)), matvec=times, dtype=float)
    largest = arpack(kernel, k=ENDS, which="LA", return_eigenvectors=False)
    told = {"largest": sorted(map(float, largest), reverse=True), "for_largest": len(seconds)}
    try:
        # a restart takes about ncv - k products
        restarts = max(1, products // (VECTORS - ENDS))
        found = arpack(kernel, k=ENDS, which="SA", ncv=VECTORS, maxiter=restarts, return_eigenvectors=False)
    except ArpackNoConvergence as stopped:
        found = stopped.eigenvalues
    told["smallest"] = float(min(found)) if len(found) else None
    # the first is compiled
    told |= {"for_smallest": len(seconds) - told["for_largest"], "product": statistics.median(seconds[1:])}
    print(json.dumps(told))


def solve(data, parameters, test, out):
    peer, x, params, apply = with_parameters(data, parameters)
    np, others, y = peer.np, peer.jnp.asarray(peer.np.load(test)["x"]), peer.np.load(data)["y"]
    kernel = peer.empirical(apply, 1)
    matrix = np.array(kernel(x, params))
    matrix[np.diag_indices(len(x))] += len(x) * RIDGE
    np.save(out, np.asarray(kernel(others, params, x)) @ np.linalg.solve(matrix, y))
    print("{}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["eigsh"]:
        eigsh(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    elif sys.argv[1:2] == ["solve"]:
        solve(*sys.argv[2:])
    else:
        main()
