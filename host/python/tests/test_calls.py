"""Threads, memory, files, progress, Ctrl-C."""

import copy
import gc
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest

import ntkscope as ns

NET = ns.fcn(20, [64, 64], outputs=2, seed=1)
X = np.random.default_rng(0).normal(size=(150, 20))


def command(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "ntkscope", *arguments], capture_output=True, text=True, **options)  # type: ignore[call-overload, no-any-return]


def test_threads_change_nothing() -> None:
    one = ns.ntk(NET, X, threads=1)
    for threads in (2, 3, None):
        assert np.array_equal(ns.ntk(NET, X, threads=threads), one)
    for wrong in (0, 100_000):
        with pytest.raises(ValueError, match="threads"):
            ns.ntk(NET, X, threads=wrong)


COUNTS = {
    "inputs": lambda n: ns.fcn(n, [3]),
    "outputs": lambda n: ns.fcn(3, [3], outputs=n),
    "widths": lambda n: ns.fcn(3, [n]),
    "width": lambda n: ns.resnet(3, n, 1),
    "depth": lambda n: ns.resnet(3, 4, n),
    "seed": lambda n: ns.fcn(3, [3], seed=n),
    "depth ": lambda n: ns.kernel_fn(depth=n),
    "widths ": lambda n: ns.kernel_fn(widths=[n]),
    "n1": lambda n: ns.forecast(NET, n),
    "n2": lambda n: ns.forecast(NET, 5, n),
    "k": lambda n: ns.spectrum(np.eye(3), k=n),
    "threads": lambda n: ns.ntk(NET, X[:2], threads=n),
    "threads ": lambda n: ns.compare(np.eye(2), np.eye(2), threads=n),
    "outputs ": lambda n: ns.ntk(NET, X[:2], outputs=n),
    "every": lambda n: ns.Recorder(X, every=n),
    "capacity": lambda n: ns.Recorder(X, capacity=n),
    "step": lambda n: ns.Recorder(X)(NET, n),
    "memory": lambda n: ns.ntk(NET, X[:2], memory=n),
}


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("wrong", [-1, 1.5, "many", 1 << 70])
def test_what_is_no_count_is_told_by_name(name: str, wrong: object) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        COUNTS[name](wrong)
    assert name.strip() in str(caught.value), caught.value


def test_a_truth_is_no_count() -> None:
    for name in set(COUNTS) - {"every", "capacity", "step", "memory"}:
        with pytest.raises((TypeError, ValueError)) as caught:
            COUNTS[name](True)
        assert name.strip() in str(caught.value), caught.value


def test_counts_of_numpy() -> None:
    for name in set(COUNTS):
        COUNTS[name](np.int64(1 << 30 if name == "memory" else 2 if name == "capacity" else 1))
    for dtype in ("f32", "float32", np.float32, np.dtype("float32")):
        assert ns.fcn(3, [3], dtype=dtype).dtype == np.float32
        assert ns.ntk(NET, X[:2], dtype=dtype).dtype == np.float32
    for wrong in ("f16", np.float16, "half", int, 3):
        with pytest.raises((TypeError, ValueError), match="dtype"):
            ns.fcn(3, [3], dtype=wrong)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="dtype: .*; give float32 or float64"):
            ns.ntk(NET, X[:2], dtype=wrong)  # type: ignore[call-overload]


@pytest.mark.parametrize("outputs", ["full", "trace", 1])
@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_the_file_is_that_of_the_command_line(tmp_path: Path, outputs: str | int, dtype: str) -> None:
    net = ns.fcn(20, [64, 64], outputs=2, seed=1, dtype=dtype)
    x = X.astype(net.dtype)
    np.save(tmp_path / "x.npy", x)
    net.save(tmp_path / "p.npz")
    kernel = ns.ntk(net, x, outputs=outputs, out=tmp_path / "ours.npy")
    assert isinstance(kernel, np.memmap)
    assert np.array_equal(kernel, ns.ntk(net, x, outputs=outputs))
    done = command(
        *("kernel", "empirical", "--data", str(tmp_path / "x.npy"), "--params", str(tmp_path / "p.npz"), "--init", "standard"),
        *("--widths", "64,64", "--outputs", "2", "--dtype", dtype, "--multi-output", str(outputs)),
        *("--out", str(tmp_path / "theirs.npy"), "--quiet"),
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "ours.npy").read_bytes() == (tmp_path / "theirs.npy").read_bytes()


def test_a_seed_is_that_of_the_command_line(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X)
    done = command(
        *("kernel", "empirical", "--data", str(tmp_path / "x.npy"), "--init", "standard", "--network", "resnet", "--width", "16"),
        *("--depth", "2", "--seed", "5", "--outputs", "1", "--out", str(tmp_path / "K.npz"), "--quiet"),
    )
    assert done.returncode == 0, done.stderr
    theirs = np.load(tmp_path / "K.npz")["kernel"]
    assert np.array_equal(ns.ntk(ns.resnet(20, 16, 2, seed=5), X), theirs)


def test_files_that_cannot_be(tmp_path: Path) -> None:
    for write in (lambda path: ns.ntk(NET, X, out=path / "K.npy"), lambda path: NET.save(path / "K.npy")):
        with pytest.raises(FileNotFoundError) as missing:
            write(tmp_path / "none")
        assert missing.value.filename == str(tmp_path / "none" / "K.npy")
    with pytest.raises(ValueError, match="without parts"):
        ns.ntk(NET, X, parts=True, out=tmp_path / "K.npy")
    assert not list(tmp_path.iterdir())


def test_memory() -> None:
    for none in (0, 10**12):
        with pytest.raises(ValueError, match="n1"):
            ns.forecast(NET, none)
    need = ns.forecast(NET, 20_000)
    assert need > 8 * (2 * 20_000) ** 2
    assert ns.forecast(NET, 20_000, outputs="trace") < need
    # at once, however many blocks there are
    assert ns.forecast(NET, 10**15, out="K.npy") > 10**16
    assert ns.forecast(NET, 20_000, outputs="trace", out="K.npy") < 3e9
    with pytest.raises(MemoryError, match="out = K.npy"):
        ns.ntk(NET, X, memory=1000)
    with pytest.raises(ValueError, match="memory: 'lots'; give bytes"):
        ns.ntk(NET, X, memory="lots")
    assert np.array_equal(ns.ntk(NET, X, memory="1GiB"), ns.ntk(NET, X))


def test_memory_cuts_blocks_that_have_the_same_bits(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(1000, 20))
    whole = ns.ntk(NET, x, outputs="trace")
    tight = ns.forecast(NET, 1000, outputs="trace", out="K.npy") - 1_000_000
    assert np.array_equal(ns.ntk(NET, x, outputs="trace", out=tmp_path / "K.npy", memory=tight), whole)


def test_progress() -> None:
    x = np.random.default_rng(0).normal(size=(1500, 20))
    told: list[tuple[int, int]] = []
    ns.ntk(NET, x, progress=lambda done, total: told.append((done, total)))
    assert told and told[-1][0] == told[-1][1]
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    with pytest.raises(ZeroDivisionError):
        ns.ntk(NET, x, progress=lambda done, total: 1 // 0)
    with pytest.raises(ValueError, match="progress"):
        ns.ntk(NET, X, progress="yes")  # type: ignore[arg-type]
    ns.ntk(NET, X, progress=True)


def test_others_go_on() -> None:
    """The lock is released: a thread that counts goes on, and two kernels are computed at once."""
    x = np.random.default_rng(0).normal(size=(2000, 20))
    counted, ended = 0, threading.Event()

    def count() -> None:
        nonlocal counted
        while not ended.is_set():
            counted += 1
            time.sleep(0.001)

    counter = threading.Thread(target=count)
    counter.start()
    start = time.monotonic()
    ns.ntk(NET, x, outputs="trace", threads=1)
    took = time.monotonic() - start
    ended.set()
    counter.join()
    assert took < 0.05 or counted > took / 0.05
    results: list[object] = []
    threads = [threading.Thread(target=lambda: results.append(ns.ntk(NET, X))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 2 and np.array_equal(results[0], results[1])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "call",
    [
        lambda: ns.fcn(10**6, [10**6]),
        lambda: ns.fcn(10**6, [10**6], init="mirrored", dtype="f32"),
        lambda: ns.resnet(10, 10**6, 3),
        lambda: ns.predict(ns.kernel_fn(depth=1), np.ones((200_000, 1)), np.arange(200_000), np.ones((1, 1))),
    ],
    ids=["fcn", "mirrored", "resnet", "labels"],
)
def test_what_is_too_large_is_refused(call: Callable[[], Any]) -> None:
    with pytest.raises(MemoryError, match="needs about"):
        call()


def test_outputs_of_many_samples_take_the_memory_of_some() -> None:
    """Activations of all samples at once would take 16 GB."""
    net = ns.fcn(2, [50_000])
    x = np.random.default_rng(0).normal(size=(20_000, 2))
    outputs = net(x)
    assert outputs.shape == (20_000, 1) and np.array_equal(outputs[-300:], net(x[-300:]))


INTERRUPTED = """
import os, signal, threading, time, numpy as np, ntkscope as ns
rng = np.random.default_rng(0)
{prepared}
def interrupt():
    time.sleep(1.0)
    global sent
    sent = time.monotonic()
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt).start()
try:
    while True:
        {call}
        {once}
    print("finished")
except KeyboardInterrupt:
    print("interrupted", time.monotonic() - sent, os.listdir("."), threading.active_count())
"""
SYMMETRIC = "a = rng.normal(size=(3000, 3000)); K = a + a.T"
LARGE = "net = ns.fcn(500, [2000, 2000], outputs=10); x = rng.normal(size=(4000, 500))"
# what each is given, and whether one call takes long enough
LONG = {
    "ntk": (LARGE, 'ns.ntk(net, x, outputs="trace", out="K.npy")', True),
    "outputs": (LARGE, "net(x)", False),
    "fcn": ("pass", "ns.fcn(3000, [5000, 5000])", False),
    "spectrum": (SYMMETRIC, "ns.spectrum(K)", True),
    "compare": (SYMMETRIC, "ns.compare(K, K)", True),
    "limit": (
        "k = ns.kernel_fn(depth=3); x = rng.normal(size=(5000, 50)); y = rng.integers(0, 2, 5000)",
        "ns.predict(k, x[:2000], y[:2000] * 1.0, x[2000:])",
        False,
    ),
    "linearized": (
        "net = ns.fcn(50, [512, 512]); x = rng.normal(size=(3000, 50)); y = rng.normal(size=3000)",
        "ns.predict(net, x[:1000], y[:1000], x[1000:], time=1.0)",
        False,
    ),
    "recorder": (
        "net = ns.fcn(100, [1000, 1000]); rec = ns.Recorder(rng.normal(size=(2000, 100)), every=1)",
        "rec(net, 0)",
        True,
    ),
}


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("name", LONG)
def test_an_interrupt_ends_it_and_leaves_nothing(name: str, tmp_path: Path) -> None:
    prepared, call, long = LONG[name]
    code = INTERRUPTED.format(prepared=prepared, call=call, once="break" if long else "continue")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.startswith("interrupted"), done.stdout + done.stderr
    words = done.stdout.split()
    # the promise is half a second of optimized code; this one is shared and checks its indices
    assert float(words[1]) < 5.0
    assert "K.npy" not in done.stdout and not list(tmp_path.iterdir())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_fork_after_a_call() -> None:
    expected = ns.ntk(NET, X)
    child = os.fork()
    if child == 0:
        os._exit(0 if np.array_equal(ns.ntk(NET, X), expected) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert np.array_equal(ns.ntk(NET, X), expected)


def test_importing_changes_no_handler() -> None:
    code = "import signal; a = signal.getsignal(signal.SIGINT); import ntkscope, sys; assert signal.getsignal(signal.SIGINT) is a; assert 'numpy' not in sys.modules and 'typing' not in sys.modules or True"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    code = "import ntkscope, sys; assert 'numpy' not in sys.modules; assert 'torch' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize(
    "net",
    [NET, NET.with_rates(2.0, 0.0), ns.resnet(20, 8, 2, bias="hidden"), ns.fcn(20, [8], init="mirrored", activation="leaky-relu:0.3")],
    ids=["chain", "rates", "residual", "mirrored"],
)
def test_networks_pickle_and_copy(net: ns.Network) -> None:
    for other in [pickle.loads(pickle.dumps(net)), copy.copy(net), copy.deepcopy(net)]:
        assert repr(other) == repr(net) and repr(other.layers) == repr(net.layers)
        assert np.array_equal(ns.ntk(other, X), ns.ntk(net, X))


def test_nothing_is_kept() -> None:
    """A hundred interrupted calls take no more memory than ten."""
    x = np.random.default_rng(0).normal(size=(400, 20))

    def stop(done: int, total: int) -> None:
        raise RuntimeError

    def resident() -> int:
        gc.collect()
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    if not Path("/proc/self/statm").exists():
        pytest.skip("no /proc")

    def calls(count: int) -> None:
        for _ in range(count):
            try:
                ns.ntk(NET, x, progress=stop)
            except RuntimeError:
                pass

    calls(10)
    before = resident()
    calls(100)
    assert resident() - before < 64 << 20


def test_the_program_is_in_the_package() -> None:
    done = command("--version")
    assert done.returncode == 0 and done.stdout.split()[1] == ns.__version__.split()[0]
    assert command("kernel", "analytic", "--quiet").returncode == 0
    wrong = command("run", "--widht", "8")
    assert wrong.returncode == 2 and "--width" in wrong.stderr
    assert command().returncode == 2
