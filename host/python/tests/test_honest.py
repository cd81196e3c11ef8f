"""What would be silently wrong is refused, or right."""

import os
import subprocess
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import ntkscope as ns
from ntkscope.sklearn import NTKKernel

X = np.random.default_rng(0).normal(size=(20, 3))
Y = np.sin(X[:, 0])
SETTINGS = {"width": 8, "loss": "mse", "until_time": 0.5}


def test_a_time_that_the_law_does_not_have() -> None:
    kernel = ns.kernel_fn(depth=2, bias="input")
    labels = (Y > 0).astype(int)
    for y, options in [(Y, {"penalty": 0.1}), (labels, {"loss": "cross-entropy", "penalty": 0.1}), (labels, {"loss": "cross-entropy"})]:
        with pytest.raises(ValueError, match="^time: 1; the law of infinite width is known at a finite time for loss='mse'"):
            ns.predict(kernel, X, y, X[:2], time=1.0, **options)  # type: ignore[arg-type]
    early, late = (ns.predict(kernel, X, Y, X[:2], time=time).mean for time in (0.5, np.inf))
    assert not np.allclose(early, late)
    assert np.abs(ns.predict(kernel, X, Y, X[:2], time=0.0).mean).max() < 1e-12


@pytest.mark.parametrize("order", ["C", "F"])
def test_tied_weights_of_any_order(order: str) -> None:
    w = np.asfortranarray(np.eye(3)) if order == "F" else np.eye(3)
    for first, second in [(w, w), (w, w.T)]:
        with pytest.raises(ValueError, match="are one tensor"):
            ns.from_state_dict({"0.weight": first, "2.weight": second}, "tanh")
        with pytest.raises(ValueError, match="are one tensor"):
            ns.from_flax({"Dense_0": {"kernel": first}, "Dense_1": {"kernel": second}}, "tanh")
        with pytest.raises(ValueError, match="W0 and W1 are one tensor"):
            ns.from_stax([(first, None), (), (second, None)], "tanh")
    ns.from_state_dict({"0.weight": w, "2.weight": w.copy()}, "tanh")
    # neighbours in one buffer are apart
    flat = np.arange(18.0)
    ns.from_state_dict({"0.weight": flat[:9].reshape(3, 3), "2.weight": flat[9:].reshape(3, 3)}, "tanh")


def test_the_order_of_a_flax_mapping_says_nothing() -> None:
    square = {"decoder": {"kernel": np.eye(4)}, "encoder": {"kernel": 2 * np.eye(4)}}
    with pytest.raises(ValueError, match="order"):
        ns.from_flax(square, "tanh")
    assert [layer.name for layer in ns.from_flax(square, "tanh", order=["encoder", "decoder"]).layers] == ["encoder.weight", "decoder.weight"]


def test_biases_have_their_names() -> None:
    net = ns.from_stax([(np.ones((3, 4)), np.zeros(4)), (), (np.ones((4, 2)), np.zeros(2))], "tanh", parameterization="standard")
    assert list(net.state_dict()) == ["W0", "b0", "W1", "b1"]
    assert np.array_equal(ns.ntk(ns.from_state_dict(net.state_dict(), "tanh"), X), ns.ntk(net, X))


@pytest.mark.parametrize("name", ["net.pt", "net.PTH", "net.safetensors"])
def test_a_name_that_load_would_read_otherwise(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="give a name that ends in .npz"):
        ns.fcn(3, [4]).save(tmp_path / name)
    assert not (tmp_path / name).exists()


def test_samples_of_two_types_in_a_kernel_of_scikit_learn() -> None:
    kernel = NTKKernel(bias="input")
    assert np.array_equal(kernel(X, X[:3].astype(np.float32)), kernel(X, X[:3].astype(np.float32).astype(np.float64)))
    assert kernel(X.astype(np.float32), X).dtype == np.float64


def test_masks_are_not_lost() -> None:
    masked = np.ma.masked_array(np.asfortranarray(X), mask=False)
    for call in (lambda: NTKKernel()(masked), lambda: ns.Recorder(masked), lambda: ns.predict(ns.kernel_fn(depth=1), X, Y, masked)):
        with pytest.raises(TypeError, match="masked array, whose mask would be lost"):
            call()


def test_a_recorder_keeps_labels_and_nothing_of_a_refused_call() -> None:
    labels, parameters = np.arange(20) % 2, {"0.weight": np.ones((4, 3)), "2.weight": np.ones((1, 4))}
    changed, kept = ns.Recorder(X, labels, loss="mse"), ns.Recorder(X, labels.copy(), loss="mse")
    labels[:] = 1 - labels
    changed(parameters, 0), kept(parameters, 0)
    assert changed.columns["loss"] == kept.columns["loss"]
    recorder = ns.Recorder(X)
    with pytest.raises(TypeError, match="float32"):
        recorder({name: array.astype(np.float32) for name, array in parameters.items()}, 0)
    # another network is the first that it has seen
    recorder({"0.weight": np.ones((2, 3))}, 0)
    parameters["0.weight"][0, 0] = np.nan
    with pytest.raises(ns.NotFinite):
        ns.Recorder(X)(parameters, 0)


def test_paths_are_those_of_the_caller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("rel.npz", "\U0001f600.npz", "del\x7f.npz"):
        np.savez(name, x=np.eye(2), y=np.array([0, 1]))
        assert ns.run({**SETTINGS, "data": name}).kernels["x"].shape == (2, 2)
    run = ns.run(SETTINGS, out="o")
    monkeypatch.chdir("/")
    assert len(run.trace["time"]) > 1


def test_what_failed_is_told(tmp_path: Path) -> None:
    diverging = {**SETTINGS, "optimizer": "gd", "rate": 20.0, "activation": "identity", "init": "standard", "until_time": 1e4}
    with pytest.warns(RuntimeWarning, match="not finite"):
        run = ns.run(diverging)
    assert len(run.trace["time"]) >= 1
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        ns.run(SETTINGS)
    # a package that this process alone has found
    there = str(Path(ns.__file__).parents[1])
    program = f"import sys; sys.path.insert(0, {there!r}); import ntkscope as ns; print(len(ns.run({SETTINGS!r}).trace['time']))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "PYTHONPATH": ""}
    )
    assert done.returncode == 0 and int(done.stdout) > 1, done.stderr


def test_functions_of_torch_that_are_others() -> None:
    from ntkscope.torch import _activation

    assert _activation("layer 1", "Softplus", SimpleNamespace(beta=1, threshold=20), True) == "softplus"
    assert _activation("layer 0", "Flatten", SimpleNamespace(start_dim=1, end_dim=-1), False) is None
    for kind, layer in [("Softplus", SimpleNamespace(beta=1, threshold=0.1)), ("Flatten", SimpleNamespace(start_dim=0, end_dim=-1))]:
        with pytest.raises(ns.UnsupportedLayer, match="only"):
            _activation("layer 0", kind, layer, False)
