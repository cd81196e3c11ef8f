"""What ``save`` writes, ``load`` makes again: the same function, the same kernel, the same layers, to the last bit."""

import itertools
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import ntkscope as ns
from reference import apart, random

RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 3))

FCN = [
    {"widths": [7, 4], "activation": activation, "bias": bias, "parametrization": parametrization, "init": init, "dtype": dtype}
    for activation, bias, parametrization, init, dtype in [
        ("relu", "input", "ntk", "standard", "f64"),
        (["gelu", "leaky-relu:0.2"], "all", "standard", "standard", "f64"),
        ("tanh", "none", "mup", "standard", "f32"),
        ("erf", "hidden", "ntk", "mirrored", "f64"),
        ("relu", "all", "standard", "mirrored", "f32"),
    ]
]
RESNET = [
    {"width": 6, "depth": depth, "alpha": alpha, "trained": trained, "init": init, "bias": bias}
    for depth, alpha, trained, init, bias in [
        (1, 1.0, "all", "standard", "input"),
        (3, 0.3, "branches", "standard", "hidden"),
        (2, 0.5, "all", "mirrored", "none"),
    ]
]


def stored(seed: int) -> ns.Network:
    """A network under names of its own, as a library stores it."""
    net, _, _ = random(seed)
    return ns.from_state_dict(net.state_dict(), net.activations)


def scaled() -> ns.Network:
    """Layers that no settings describe."""
    return ns.fcn(3, [7, 4], activation="silu", bias="all", outputs=2, seed=4)


NETWORKS: dict[str, Callable[[], ns.Network]] = {
    **{f"fcn {k}": (lambda keywords=keywords: ns.fcn(3, outputs=2, seed=3, **keywords)) for k, keywords in enumerate(FCN)},
    **{f"resnet {k}": (lambda keywords=keywords: ns.resnet(3, outputs=2, seed=3, **keywords)) for k, keywords in enumerate(RESNET)},
    **{f"stored {seed}": (lambda seed=seed: stored(seed)) for seed in range(6)},
    "one output": lambda: ns.fcn(3, [5]),
    "linear": lambda: ns.from_state_dict({"weight": RNG.normal(size=(2, 3)), "bias": RNG.normal(size=2)}),
    "single": lambda: ns.from_state_dict({"a.b.weight": RNG.normal(size=(2, 3)).astype("f4")}),
    "rates": lambda: scaled().with_rates([1.0, 0.0, 0.37], [0.0, 2.5, 1e-3]),
    "as_ntk": lambda: stored(2).as_ntk(1.7, 0.3),
    "stax": lambda: ns.from_stax([(RNG.normal(size=(3, 4)), RNG.normal(size=(1, 4))), (), (RNG.normal(size=(4, 2)), None)], W_std=1.3, b_std=0.1),
    "pickled": lambda: pickle.loads(pickle.dumps(scaled())),
}


def same(one: ns.Network, other: ns.Network) -> None:
    x = RNG.normal(size=(5, one.inputs)).astype(one.dtype)
    assert repr(one) == repr(other)
    assert [repr(layer) for layer in one.layers] == [repr(layer) for layer in other.layers]
    assert np.array_equal(one(x), other(x))
    assert np.array_equal(ns.ntk(one, x), ns.ntk(other, x))


@pytest.mark.parametrize("name", NETWORKS)
def test_a_file_is_the_network(name: str, tmp_path: Path) -> None:
    net = NETWORKS[name]()
    net.save(tmp_path / "net.npz")
    again = ns.load(tmp_path / "net.npz")
    same(again, net)
    again.save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "net.npz").read_bytes()


@pytest.mark.parametrize("name", ["rates", "as_ntk", "stored 1", "stax", "fcn 1"])
def test_the_command_line_reads_the_same(name: str, tmp_path: Path) -> None:
    net = NETWORKS[name]()
    np.save(tmp_path / "x.npy", RNG.normal(size=(5, net.inputs)))
    net.save(tmp_path / "net.npz")
    settings = [] if "fcn" not in name else ["--widths", "7,4", "--activation", "gelu,leaky-relu:0.2", "--bias", "all"]
    settings += [] if "fcn" not in name else ["--parametrization", "standard", "--init", "standard", "--outputs", "2"]
    flags = ["--data", str(tmp_path / "x.npy"), "--params", str(tmp_path / "net.npz"), *settings, "--multi-output", "full"]
    command = [sys.executable, "-m", "ntkscope", "kernel", "empirical", *flags, "--out", str(tmp_path / "K.npz"), "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert np.array_equal(np.load(tmp_path / "K.npz")["kernel"], ns.ntk(net, np.load(tmp_path / "x.npy")))


@pytest.mark.parametrize("init,network", list(itertools.product(["standard", "mirrored", "shifted"], ["fcn", "resnet"])))
def test_a_run_leaves_its_network(init: str, network: str) -> None:
    run = ns.run({"width": 8, "loss": "cross-entropy", "until_time": 2.0, "init": init, "network": network, "activation": "gelu"})
    kernels = run.kernels
    assert apart(ns.ntk(run.network, kernels["x"]), kernels["final"]) < 1e-12
    assert run.network.layers[0].name == ("first." if init == "mirrored" else "") + ("W0" if network == "fcn" else "A")


def test_what_the_caller_says_beside_the_file(tmp_path: Path) -> None:
    path = tmp_path / "net.npz"
    net = stored(1)
    net.save(path)
    hidden = len(net.layers) - 1
    assert [layer.activation for layer in ns.load(path, "sine").layers[:-1]] == ["sine"] * hidden
    assert ns.load(path, dtype=np.float32).dtype == np.float32
    with pytest.raises(ValueError, match="says the order of its layers"):
        ns.load(path, order=[layer.name for layer in net.layers])
    with pytest.raises(ValueError, match="activations were given"):
        ns.load(path, ["relu"] * (hidden + 2))
    ns.fcn(3, [5], activation="gelu").save(path)
    assert ns.load(path, "gelu").layers[0].activation == "gelu"
    with pytest.raises(ValueError, match="saved with `activation = gelu`"):
        ns.load(path, "relu")
    with pytest.raises(ValueError, match="says the order of its layers"):
        ns.load(path, order=["W0", "W1"])


def test_damaged(tmp_path: Path) -> None:
    path = tmp_path / "net.npz"
    NETWORKS["rates"]().save(path)
    whole = dict(np.load(path))
    text = bytes(whole["layers"].astype(np.uint8)).decode()

    def refused(message: str, **changed: np.ndarray) -> None:
        arrays = {name: array for name, array in (whole | changed).items() if array.size}
        np.savez(path, **arrays)  # type: ignore[arg-type]
        with pytest.raises(ns.DataError, match=message) as caught:
            ns.load(path)
        assert str(path) in str(caught.value)

    def said(text: str) -> np.ndarray:
        return np.frombuffer(text.encode(), np.uint8).astype(np.float64)

    refused("does not hold the layers of a network", layers=said("no toml ="))
    refused("does not hold the layers of a network", layers=np.array([0.5]))
    refused("a rate is -1", layers=said(text.replace("2.5", "-1.0")))
    refused("are one tensor", layers=said(text.replace('"W1"', '"W0"')))
    refused("no array `W1`", W1=np.zeros(0))
    refused("array `W9` of shape .* is of none of the layers", W9=np.ones((2, 2)))
    refused("array `W1` of shape .* takes 8 numbers, but is given 7", W1=np.ones((4, 8)))
    refused("array `W1` of shape .* is no weight", W1=np.ones(4))
    refused("array `b1` of shape .* is no bias of 4 numbers", b1=np.ones(5))
    refused("not finite", W1=np.full((4, 7), np.nan))
