"""Networks of other programs: state dicts, Flax, stax, files."""

import math
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ntkscope as ns
from reference import Layer, Net, apart, random

RNG = np.random.default_rng(0)


def arrays(**shapes: tuple[int, ...]) -> dict[str, np.ndarray]:
    return {name.replace("__", "."): RNG.normal(size=shape) for name, shape in shapes.items()}


def test_layers_follow_the_numbers_in_their_names() -> None:
    """Equal widths pass every check of shapes: the order is that of the numbers, 10 after 2."""
    state = {f"net.{2 * k}.weight": RNG.normal(size=(4, 4)) for k in range(8)}
    net = ns.from_state_dict(state, "tanh")
    assert [layer.name for layer in net.layers] == list(state)
    x = RNG.normal(size=(5, 4))
    expected = Net([Layer(w, None) for w in state.values()], ["tanh"] * 7)
    assert apart(ns.ntk(net, x), expected.kernel(x)) < 1e-12


def test_an_order_that_is_given() -> None:
    state = arrays(a__weight=(4, 4), b__weight=(4, 4))
    net = ns.from_state_dict(state, "tanh", order=["b", "a"])
    assert [layer.name for layer in net.layers] == ["b.weight", "a.weight"]
    with pytest.raises(ValueError, match="order"):
        ns.from_state_dict(state, "tanh", order=["b"])


def test_an_order_that_is_merely_sorted_says_nothing() -> None:
    """A tree of arrays is sorted by name as soon as anything is mapped over it; what a module gives says that it does."""
    state = arrays(decoder__weight=(4, 4), encoder__weight=(4, 4))
    with pytest.raises(ValueError, match="order"):
        ns.from_state_dict(state, "tanh")
    written = dict(reversed(state.items()))
    assert [layer.name for layer in ns.from_state_dict(written, "tanh").layers] == ["encoder.weight", "decoder.weight"]
    module: Any = OrderedDict(state)
    module._metadata = {}
    assert [layer.name for layer in ns.from_state_dict(module, "tanh").layers] == list(state)
    recorder = ns.Recorder(np.eye(4), activation="tanh", order=["encoder", "decoder"])
    assert recorder(state, 0) is not None


def test_an_activation_a_layer() -> None:
    state = arrays(**{"0__weight": (4, 3), "2__weight": (5, 4), "4__weight": (2, 5)})
    net = ns.from_state_dict(state, ["tanh", "leaky-relu:0.2"])
    assert [layer.activation for layer in net.layers] == ["tanh", "leaky-relu:0.2", None]
    with pytest.raises(ValueError, match="2 hidden layers, but 3"):
        ns.from_state_dict(state, ["tanh"] * 3)
    with pytest.raises(ValueError, match="activation \"rleu\": expected one of: relu"):
        ns.from_state_dict(state, "rleu")


REFUSED = {
    "a convolution": (arrays(**{"0__weight": (4, 3, 3, 3)}), "0.weight"),
    "a normalization": (arrays(**{"0__weight": (4, 3), "1__weight": (4,)}), "1.weight"),
    "running means": (arrays(**{"0__weight": (4, 3), "1__running_mean": (4,)}), "running_mean"),
    "no place": (arrays(**{"0__weight": (4, 3), "scale": (1,)}), "scale"),
    "no chain": (arrays(**{"0__weight": (4, 3), "1__weight": (5, 6)}), "do not follow one another"),
    "a bias of another size": (arrays(**{"0__weight": (4, 3), "0__bias": (3,)}), "0.bias"),
    "nothing": ({}, "no array"),
    "not finite": ({"0.weight": np.array([[np.nan]])}, "not finite"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    state, message = REFUSED[case]
    with pytest.raises(ns.NotFinite if case == "not finite" else ValueError) as caught:
        ns.from_state_dict(state)
    assert message in str(caught.value)


def test_what_holds_no_layers() -> None:
    for make, kind, message in [
        (lambda: ns.from_state_dict([1]), TypeError, "state: list; give a mapping"),  # type: ignore[arg-type]
        (lambda: ns.from_state_dict({0: np.eye(2)}), TypeError, "state: the key 0"),  # type: ignore[dict-item]
        (lambda: ns.from_flax([1]), TypeError, "params: list; give a nested mapping"),  # type: ignore[arg-type]
        (lambda: ns.from_flax({"params": [1]}), TypeError, "params: list; give a nested mapping"),
        (lambda: ns.from_stax([]), ValueError, "params: give a pair"),
        (lambda: ns.from_stax([(np.eye(2),)]), ValueError, "params: give a pair"),
    ]:
        with pytest.raises(kind, match=message):
            make()


def test_dtypes() -> None:
    single = {name: array.astype(np.float32) for name, array in arrays(**{"0__weight": (4, 3), "2__weight": (1, 4)}).items()}
    net = ns.from_state_dict(single)
    assert net.dtype == np.float32
    assert all(np.array_equal(net.state_dict()[name], array) for name, array in single.items())
    for other, message in [(np.float16, "float16"), (np.int64, "int64")]:
        with pytest.raises(TypeError, match=f"0.weight: {message}"):
            ns.from_state_dict({name: array.astype(other) for name, array in single.items()})
    with pytest.raises(TypeError, match="2.weight: float64, but 0.weight is not"):
        ns.from_state_dict({**single, "2.weight": single["2.weight"].astype(np.float64)})


def test_tied_weights() -> None:
    w = RNG.normal(size=(4, 4))
    with pytest.raises(ValueError, match="0.weight and 2.weight are one tensor"):
        ns.from_state_dict({"0.weight": w, "2.weight": w})
    ns.from_state_dict({"0.weight": w, "2.weight": w.copy()})


def test_parameters_are_copied() -> None:
    state = arrays(**{"0__weight": (4, 3), "2__weight": (1, 4)})
    net, x = ns.from_state_dict(state), RNG.normal(size=(5, 3))
    before = ns.ntk(net, x)
    state["0.weight"][:] = 0
    net.state_dict()["0.weight"][:] = 0
    assert np.array_equal(ns.ntk(net, x), before)


def test_flax_is_transposed() -> None:
    for seed in range(10):
        net, x, _ = random(seed)
        params = {}
        for index, layer in enumerate(net.layers):
            params[f"Dense_{index}"] = {"kernel": layer.w.T} | ({} if layer.b is None else {"bias": layer.b})
        for tree in (params, {"params": params}):
            assert apart(ns.ntk(ns.from_flax(tree, net.activations), x), net.kernel(x)) < 1e-12
    many = {f"Dense_{k}": {"kernel": RNG.normal(size=(3, 3))} for k in (10, 9, 2)}
    names = [layer.name for layer in ns.from_flax(dict(sorted(many.items()))).layers]
    assert [name.split(".")[0] for name in names] == ["Dense_2", "Dense_9", "Dense_10"]


@pytest.mark.parametrize("parameterization", ["ntk", "standard"])
def test_stax(parameterization: str) -> None:
    net, x, _ = random(5)
    params: list[object] = []
    for layer in net.layers:
        params += [(layer.w.T, None if layer.b is None else layer.b[None, :]), ()]
        if parameterization == "ntk":
            layer.c, layer.s = 1.3 / math.sqrt(layer.w.shape[1]), 0.4
    ours = ns.from_stax(params, net.activations, W_std=1.3, b_std=0.4, parameterization=parameterization)
    assert apart(ours(x), net.outputs(x)) < 1e-12
    assert apart(ns.ntk(ours, x), net.kernel(x)) < 1e-12
    with pytest.raises(ValueError, match="parameterization"):
        ns.from_stax(params, net.activations, parameterization="mup")


def test_files(tmp_path: Path) -> None:
    net, x, _ = random(7)
    state = net.state_dict()
    np.savez(tmp_path / "net.npz", **state)  # type: ignore[arg-type]
    ours = ns.load(tmp_path / "net.npz", net.activations)
    assert apart(ns.ntk(ours, x), net.kernel(x)) < 1e-12
    ours.save(tmp_path / "again.npz")
    assert np.array_equal(ns.ntk(ns.load(tmp_path / "again.npz", net.activations), x), ns.ntk(ours, x))
    with pytest.raises(FileNotFoundError) as missing:
        ns.load(tmp_path / "none.npz")
    assert missing.value.filename == str(tmp_path / "none.npz")
    (tmp_path / "broken.npz").write_bytes(b"PK no archive")
    with pytest.raises(ns.DataError, match="broken.npz"):
        ns.load(tmp_path / "broken.npz")


def test_safetensors(tmp_path: Path) -> None:
    pytest.importorskip("safetensors")
    from safetensors.numpy import save_file

    state = {f"{2 * k}.weight": RNG.normal(size=(4, 4)).astype(np.float32) for k in range(7)}
    save_file(state, tmp_path / "net.safetensors")
    net = ns.load(tmp_path / "net.safetensors", "gelu")
    assert [layer.name for layer in net.layers] == list(state) and net.dtype == np.float32
    x = RNG.normal(size=(3, 4)).astype(np.float32)
    assert np.array_equal(ns.ntk(net, x), ns.ntk(ns.from_state_dict(state, "gelu"), x))


def test_precision_is_that_of_the_file(tmp_path: Path) -> None:
    """Not that of its numbers: ones are the same in all."""
    arrays = {"0.weight": np.ones((4, 3)), "2.weight": np.ones((1, 4))}
    path = tmp_path / "net.npz"
    for dtype in (np.float32, np.float64):
        np.savez(path, **{name: array.astype(dtype) for name, array in arrays.items()})  # type: ignore[arg-type]
        net = ns.load(path)
        assert net.dtype == dtype
        net.save(tmp_path / "again.npz")
        assert ns.load(tmp_path / "again.npz").dtype == dtype
    np.savez(path, **{"0.weight": arrays["0.weight"].astype("f4"), "2.weight": arrays["2.weight"]})  # type: ignore[arg-type]
    assert ns.load(path).dtype == np.float64
    np.savez(path, **{name: array.astype("f2") for name, array in arrays.items()})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="net.npz: float16; give dtype=numpy.float32 or float64"):
        ns.load(path)
    assert ns.load(path, dtype=np.float32).dtype == np.float32


def test_the_file_says_its_activation(tmp_path: Path) -> None:
    pytest.importorskip("safetensors")
    from safetensors.numpy import save_file

    state, path = {"0.weight": np.ones((4, 3)), "2.weight": np.ones((1, 4))}, tmp_path / "net.safetensors"
    save_file(state, path, metadata={"activation": "tanh"})
    assert [ns.load(path).layers[0].activation, ns.load(path, "gelu").layers[0].activation] == ["tanh", "gelu"]
    save_file(state, path)
    assert ns.load(path).layers[0].activation == "relu"


def test_networks_of_settings() -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"widths": [0]}, "width"),
        ({"widths": []}, "width"),
        ({"widths": [3], "bias": "some"}, "in fcn"),
        ({"widths": [3, 4], "parametrization": "mean-field"}, "mean"),
        ({"widths": [3], "init": "random"}, "init"),
        ({"widths": [3, 3], "activation": ["relu"] * 3}, "activation"),
    ]
    for arguments, message in cases:
        with pytest.raises(ValueError) as caught:
            ns.fcn(4, **arguments)
        assert message in str(caught.value), caught.value
    with pytest.raises(ValueError, match="inputs: 0"):
        ns.fcn(0, [3])
    with pytest.raises(ValueError, match="as_ntk"):
        ns.resnet(3, 4, 1).as_ntk()
    with pytest.raises(ValueError, match="2 rates, but the network has 3 layers"):
        ns.fcn(3, [4, 4]).with_rates([1.0, 1.0], 1.0)
    with pytest.raises(ValueError, match="rate -1"):
        ns.fcn(3, [4]).with_rates(-1.0, 1.0)
