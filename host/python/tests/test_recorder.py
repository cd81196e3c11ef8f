"""The recorder: its numbers are those of kernels of checkpoints."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ntkscope as ns

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(12, 3)), np.arange(12) % 2


def states(count: int) -> list[dict[str, Any]]:
    """A walk of parameters."""
    state = {"0.weight": RNG.normal(size=(16, 3)), "0.bias": RNG.normal(size=16), "2.weight": RNG.normal(size=(1, 16))}
    walk = []
    for _ in range(count):
        walk.append(state)
        state = {name: array + 0.05 * RNG.normal(size=array.shape) for name, array in state.items()}
    return walk


def test_columns_are_those_of_kernels() -> None:
    walk = states(20)
    recorder = ns.Recorder(X, Y, loss="mse", rate=0.1, every=1, activation="tanh")
    for step, state in enumerate(walk):
        snapshot = recorder(state, step)
        assert snapshot is not None and snapshot["step"] == step and snapshot.drift_max == snapshot["drift_max"]
    nets = [ns.from_state_dict(state, "tanh") for state in walk]
    kernels = [ns.ntk(net, X, outputs="trace") for net in nets]
    columns = recorder.columns
    assert [kernel.tolist() for kernel in recorder.kernels] == [kernel.tolist() for kernel in kernels]
    for k, kernel in enumerate(kernels):
        distances = ns.compare(kernel, kernels[0])
        assert columns["drift_max"][k] == distances.max
        assert abs(columns["drift_fro"][k] - distances.frobenius) < 1e-13
        assert abs(columns["alignment"][k] - distances.alignment) < 1e-13
        spectrum = ns.spectrum(kernel)
        assert abs(columns["lambda_max"][k] - spectrum.largest[0]) < 1e-12 * spectrum.largest[0]
        assert abs(columns["stability"][k] - 0.1 * spectrum.largest[0] / 24) < 1e-12
        signs = 2 * Y - 1
        margins = signs * nets[k](X)[:, 0]
        assert abs(columns["margin_min"][k] - margins.min()) < 1e-12
        assert columns["accuracy"][k] == (margins > 0).mean()
        assert abs(columns["loss"][k] - ((nets[k](X)[:, 0] - signs) ** 2).mean() / 2) < 1e-12
        moved = np.concatenate([(walk[k][name] - walk[0][name]).ravel() for name in walk[0]])
        assert abs(columns["param_distance"][k] - np.linalg.norm(moved)) < 1e-12
    assert np.allclose(columns["time"], 0.1 * np.arange(20))
    assert not {"error_max", "velocity_error", "sliding"} & set(columns)


def test_without_targets() -> None:
    recorder = ns.Recorder(X)
    recorder(states(1)[0], 0)
    assert not {"loss", "accuracy", "margin_min", "target_alignment", "stability"} & set(recorder.columns)


def test_when_a_snapshot_is_due() -> None:
    net = ns.fcn(3, [4])
    log = ns.Recorder(X)
    due = [step for step in range(10_000) if log(net, step) is not None]
    assert due[:6] == [0, 1, 2, 3, 4, 5] and 30 < len(due) < 60
    fifth = ns.Recorder(X, every=5)
    assert [step for step in range(12) if fifth(net, step) is not None] == [0, 5, 10]
    own = ns.Recorder(X, every=lambda step: step in (3, 4))
    assert [step for step in range(12) if own(net, step) is not None] == [0, 3, 4]
    assert own(net, 20) is None
    for wrong in ("sometimes", 0, -1):
        with pytest.raises(ValueError, match="every"):
            ns.Recorder(X, every=wrong)


def test_kernels_that_are_kept() -> None:
    net = ns.fcn(3, [4])
    recorder = ns.Recorder(X, every=1, capacity=8)
    for step in range(100):
        recorder(net, step)
    steps = recorder.kernel_steps
    assert len(recorder.kernels) == len(steps) <= 8 and steps[0] == 0
    assert len(set(np.diff(steps))) == 1 and len(recorder.snapshots) == 100


def test_other_outputs() -> None:
    net = ns.fcn(3, [4], outputs=2)
    full = ns.Recorder(X, outputs="full")
    full(net, 0)
    assert np.array_equal(full.kernels[0], ns.ntk(net, X))
    one = ns.Recorder(X, outputs=1)
    one(net, 0)
    assert np.array_equal(one.kernels[0], ns.ntk(net, X, outputs=1))


def test_labels_and_values() -> None:
    three, one = ns.fcn(3, [4], outputs=3), ns.fcn(3, [4])
    ns.Recorder(X, Y, loss="cross-entropy")(three, 0)  # one class does not occur among the samples
    snapshot = ns.Recorder(X, RNG.normal(size=12))(one, 0)
    assert snapshot is not None and snapshot.loss > 0 and np.isnan(snapshot.accuracy)
    for y, net, message in [
        (Y + 5, three, "labels from 5 to 6"),
        (np.arange(12) % 3, one, "3 classes, but the network has one output"),
        (RNG.normal(size=(12, 2)), three, "y asks for 2 outputs"),
        (Y[:5], one, "y: 5 samples, but x has 12"),
    ]:
        with pytest.raises(ValueError, match=message):
            ns.Recorder(X, y)(net, 0)
    with pytest.raises(TypeError, match="y: <U1"):
        ns.Recorder(X, np.array(["a"] * 12))(one, 0)


def test_another_network_or_precision() -> None:
    recorder = ns.Recorder(X)
    recorder(ns.fcn(3, [4]), 0)
    with pytest.raises(ValueError, match="parameters"):
        recorder(ns.fcn(3, [5]), 1)
    with pytest.raises(TypeError, match="float32"):
        ns.Recorder(X)(ns.fcn(3, [4], dtype="f32"), 0)


def test_samples_are_copied() -> None:
    x = X.copy()
    recorder = ns.Recorder(x, every=1)
    recorder(ns.fcn(3, [4]), 0)
    x[:] = 0
    assert recorder(ns.fcn(3, [4]), 1)["drift_max"] == 0  # type: ignore[index]


def test_what_cannot_be_recorded() -> None:
    for wrong, message in [
        ({"rate": float("nan")}, "rate: nan"),
        ({"rate": -0.1}, "rate: -0.1"),
        ({"loss": "mse"}, "loss: 'mse', but there is no y"),
        ({"every": 0}, "every: 0"),
        ({"every": "epoch"}, "every: 'epoch'"),
        ({"capacity": 1}, "capacity: 1"),
    ]:
        with pytest.raises(ValueError, match=message):
            ns.Recorder(X, **wrong)  # type: ignore[arg-type]
    recorder = ns.Recorder(X, every=np.int64(1))  # type: ignore[arg-type]
    for step, time, message in [(-1, None, "step: -1"), (0, float("nan"), "time: nan")]:
        with pytest.raises(ValueError, match=message):
            recorder(ns.fcn(3, [4]), step, time)
    assert recorder(ns.fcn(3, [4]), np.int64(3)) is not None  # type: ignore[arg-type]
    assert recorder.columns["step"].tolist() == [3]


def test_a_file_is_whole_or_what_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = ns.Recorder(X, every=1)
    recorder(ns.fcn(3, [4]), 0)
    recorder.save(tmp_path)
    before = (tmp_path / "kernels.npz").read_bytes()

    def full(file: Any, **arrays: Any) -> None:
        file.write(b"PK")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError) as caught:
        recorder.save(tmp_path)
    assert caught.value.errno == 28 and caught.value.filename == str(tmp_path / "kernels.npz")
    assert (tmp_path / "kernels.npz").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kernels.npz", "trace.csv"]
    with pytest.raises(FileNotFoundError) as missing:
        recorder.report(tmp_path / "none" / "r.html")
    assert missing.value.filename == str(tmp_path / "none" / "r.html")


def test_files(tmp_path: Path) -> None:
    recorder = ns.Recorder(X, Y, loss="mse", every=1)
    with pytest.raises(ValueError, match="nothing was recorded yet"):
        recorder.report(tmp_path / "r.html")
    for step, state in enumerate(states(6)):
        recorder(state, step)
    recorder.save(tmp_path / "out")
    rows = list(csv.DictReader((tmp_path / "out" / "trace.csv").open()))
    assert [float(row["drift_max"]) for row in rows] == recorder.columns["drift_max"].tolist()
    kept = np.load(tmp_path / "out" / "kernels.npz")
    assert np.array_equal(kept["kernels"], np.stack(recorder.kernels)) and kept["step"].tolist() == list(range(6))
    recorder.report(tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    assert page.startswith("<!DOCTYPE html>") and "<svg" in page and "drift_max" in page
    assert "6 snapshots" in repr(recorder) and "<table>" in recorder.snapshots[0]._repr_html_()
