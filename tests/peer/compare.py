"""ntkscope beside neural-tangents (JAX): time and memory of the cases of `ntkscope bench`, as a table of ratios.

    python3 -m venv /tmp/peer
    /tmp/peer/bin/pip install jax==0.4.25 jaxlib==0.4.25 'numpy<2' neural-tangents==0.6.5
    cargo build --release
    /tmp/peer/bin/python tests/peer/compare.py

First both compute the same kernels in f64, of one network with the same parameters and of the infinitely wide one, and
must agree: what is timed below is the same thing. (Not on the analytic kernel's diagonal, where the peer takes the arc
cosine of a rounded 1; the errors of both are told.) Then, in --rounds rounds, ntkscope and its peer take turns at every
case, each going first in every other round, so that whatever else the machine does meets both. A time is that of one
call after others that were not counted (no start, no compilation), at least 0.1 s of them. A row tells medians and
quartiles over the rounds, and the median of the rounds' ratios. Peaks of memory are by how much a process that does
nothing else has grown: ntkscope's over an empty process, the peer's over one that has loaded JAX; compilation counts.

All cases take some ten minutes on two idle cores, and longer beside other work; --only takes them in parts.

The last row is the whole program from the shell: samples read from a file, kernel written to one; ntkscope finds the
kernel's eigenvalues as well, which its peer is not asked for. Its memory is all of the process's.
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
PEER = [sys.executable, str(HERE / "peer.py")]
AGREE = 1e-10  # largest relative difference of kernels in f64


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ntkscope", default=str(HERE.parents[1] / "target/release/ntkscope"), help="the program")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", help="cases, as for ntkscope bench")
    parser.add_argument("--json", help="file for all readings")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        data = samples(pathlib.Path(place))
        found = agreement(args.ntkscope, data)
        for name in ("empirical", "analytic"):
            print(f"{name} kernels differ by {found[name]:.1e} of the largest entry")
            assert found[name] < AGREE, f"{name} kernels are not the same"
        errors = [f"{who} {found[f'diagonal, {who}']:.1e}" for who in ("ntkscope", "peer")]
        print(f"relative error on the analytic kernel's diagonal, left out above: {', '.join(errors)}", flush=True)
        ours, theirs, machine = turns(args)
        programs = whole(args, data)
    print()
    print("\n".join(table(ours, theirs, machine, programs)))
    if args.json:
        readings = {"machine": machine, "ntkscope": ours, "peer": theirs, "whole": programs}
        pathlib.Path(args.json).write_text(json.dumps(readings, indent=1))


def samples(place):
    """Files with 1000 and with 200 samples of unit norm."""
    import numpy as np

    x = np.random.default_rng(1).standard_normal((1000, 784))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    for name, n in (("large", 1000), ("small", 200)):
        np.savez(place / f"{name}.npz", x=x[:n], y=np.arange(n, dtype=float) % 2)
    return place


def agreement(ntkscope, place):
    data, network = str(place / "small.npz"), ["--depth", "3", "--width", "512", "--init", "standard", "--quiet"]
    parameters, of_network, of_limit = (str(place / name) for name in ("P.npz", "empirical.npz", "analytic.npz"))
    command = [ntkscope, "kernel", "empirical", "--data", data, *network, "--params-out", parameters]
    output([*command, "--out", of_network])
    output([ntkscope, "kernel", "analytic", "--data", data, *network, "--out", of_limit])
    return json.loads(output([*PEER, "check", data, parameters, of_network, of_limit]))


def turns(args):
    """Readings of both by case, and of the machine."""
    only = ["--only", args.only] if args.only else []
    bench = lambda only: json.loads(output([args.ntkscope, "bench", "--json", "--quiet", "--repeat", "1", *only]))
    cases = bench(only)["cases"]
    peers = [Peer(case) for case in cases]
    ours, theirs, machine = {case["name"]: [] for case in cases}, {case["name"]: [] for case in cases}, []
    for round in range(args.rounds):
        for case, peer in zip(cases, peers):
            name = case["name"]
            print(f"round {round + 1} of {args.rounds}: {name}", file=sys.stderr, flush=True)
            for turn in (0, 1):
                if turn == round % 2:
                    found = bench(["--only", name])
                    ours[name] += found["cases"]
                    machine.append(found["machine"])
                else:
                    theirs[name].append(peer.read())
    for peer in peers:
        peer.end()
    return ours, theirs, machine


class Peer:
    """A process that has compiled one case and waits."""

    def __init__(self, case):
        self.process = subprocess.Popen(
            [*PEER, "serve", json.dumps(case)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout.readline() == "ready\n", f"peer: {case['name']}"

    def read(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        assert self.process.wait() == 0


def whole(args, place):
    """Seconds and peak of memory of both programs, from the shell."""
    data, out = str(place / "large.npz"), str(place / "K.npz")
    network = ["--depth", "3", "--width", "512", "--init", "standard", "--dtype", "f32", "--quiet"]
    commands = {
        "ntkscope": [args.ntkscope, "kernel", "empirical", "--data", data, *network, "--out", out],
        "peer": [*PEER, "whole", data, out],
    }
    found = {name: [] for name in commands}
    for round in range(args.rounds):
        for name in sorted(commands, reverse=round % 2 == 1):
            print(f"round {round + 1} of {args.rounds}: {name} from the shell", file=sys.stderr, flush=True)
            begin = time.perf_counter()
            process = subprocess.Popen(commands[name], stdout=subprocess.DEVNULL)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            assert process.returncode == 0, commands[name]
            seconds, unit = time.perf_counter() - begin, 1 if sys.platform == "darwin" else 1024
            found[name].append({"seconds": seconds, "peak_bytes": unit * usage.ru_maxrss})
    return found


def table(ours, theirs, machine, programs):
    """Lines of Markdown."""
    rate = lambda key: f"{statistics.median(m[key] for m in machine):.0f}"
    yield (
        f"{machine[0]['threads']} threads, {machine[0]['instruction_set']}; products {rate('gemm_gflops_f32')} GFlop/s in f32 "
        f"({rate('gemm_gflops_f32_one_thread')} on one thread), {rate('gemm_gflops_f64')} in f64; "
        f"memory {rate('bandwidth_gb_s')} GB/s. Medians of {len(next(iter(ours.values())))} rounds (quartiles)."
    )
    yield ""
    yield "| case | ntkscope | of the limit | neural-tangents | ratio | memory | its memory |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for name, mine in ours.items():
        limit = f"{100 * statistics.median(r['fraction_of_limit'] for r in mine):.0f} % ({mine[0]['limit']})"
        yield row(name, mine, theirs[name], limit)
    yield row("from the shell, n = 1000", programs["ntkscope"], programs["peer"], "")


def row(name, mine, its, limit):
    of = lambda readings: [reading["seconds"] for reading in readings]
    ratio = [theirs / ours for ours, theirs in zip(of(mine), of(its))]
    low, median, high = quartiles(ratio)
    cells = [name, times(of(mine)), limit, times(of(its)), f"{median:.2f} ({low:.2f} to {high:.2f})", peak(mine), peak(its)]
    return f"| {' | '.join(cells)} |"


def quartiles(values):
    return statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3


def times(seconds):
    low, median, high = (f"{1e3 * value:.3g}" if value < 1 else f"{1e3 * value:.0f}" for value in quartiles(seconds))
    return f"{median} ms ({low} to {high})"


def peak(readings):
    known = [reading["peak_bytes"] for reading in readings if reading["peak_bytes"] is not None]
    return f"{max(known) / 1e6:.0f} MB" if known else "unknown"


def output(command):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout


if __name__ == "__main__":
    main()
