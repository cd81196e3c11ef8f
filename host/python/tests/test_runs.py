"""Runs and studies by the command line inside the package."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import ntkscope as ns

SETTINGS = {"width": 8, "loss": "mse", "until_time": 2.0, "seed": 3}


def test_a_run_is_that_of_the_command_line(tmp_path: Path) -> None:
    run = ns.run(SETTINGS, out=tmp_path / "ours")
    flags = ["--width", "8", "--loss", "mse", "--until-time", "2", "--seed", "3", "--out", str(tmp_path / "theirs"), "--quiet"]
    assert subprocess.run([sys.executable, "-m", "ntkscope", "run", *flags], capture_output=True).returncode == 0
    for name in ("trace.csv", "kernels.npz", "params.npz"):
        assert (tmp_path / "ours" / name).read_bytes() == (tmp_path / "theirs" / name).read_bytes(), name
    assert run.trace["drift_max"][0] == 0 and run.trace["time"][-1] >= 2
    assert run.kernels["initial"].shape == (6, 6)
    assert set(run.params) >= {"first.W0", "second.W0"}
    run.report(tmp_path / "r.html")
    assert "<svg" in (tmp_path / "r.html").read_text()
    again = ns.run(tmp_path / "ours" / "run.toml")
    assert np.array_equal(again.trace["loss"], run.trace["loss"])


def test_its_kernel_is_ours() -> None:
    run = ns.run({**SETTINGS, "init": "standard", "until_time": 0.5, "activation": "tanh"})
    state = {name: array for name, array in run.params.items()}
    net = ns.fcn(2, [8, 8], init="standard", activation="tanh", seed=3)
    x = run.kernels["x"]
    assert np.allclose(ns.ntk(net, x, outputs="trace"), run.kernels["initial"], rtol=1e-12)
    assert set(state) == {"W0", "b0", "W1", "W2"}


def test_arrays_as_data() -> None:
    x, y = np.random.default_rng(0).normal(size=(10, 3)), np.arange(10) % 2
    run = ns.run({**SETTINGS, "data": (x, y)})
    assert np.array_equal(run.kernels["x"], x)


def test_numbers_of_numpy() -> None:
    """In numpy 2 their repr is no number of a settings file."""
    one = ns.run({**SETTINGS, "width": np.int64(8), "until_time": np.float64(2.0), "smoothing": np.float32(0.0), "predictions": np.bool_(False)})
    assert np.array_equal(one.trace["loss"], ns.run({**SETTINGS, "smoothing": 0.0}).trace["loss"])
    single = [ns.run({**SETTINGS, "dtype": dtype}).trace["loss"] for dtype in (np.float32, "f32", "float32")]
    assert all(np.array_equal(loss, single[0]) for loss in single) and not np.array_equal(single[0], one.trace["loss"])
    pair = [np.eye(2), np.array([0, 1])]
    assert ns.run({**SETTINGS, "data": pair}).kernels["x"].shape == (2, 2)
    widths = ns.run({"widths": np.array([8, 4]), "loss": "mse", "until_time": 1.0})
    assert widths.params["first.W1"].shape == (4, 8)


def test_texts_that_a_settings_file_escapes(tmp_path: Path) -> None:
    name = 'a "quoted" \\ name\t.npz'
    np.savez(tmp_path / name, x=np.eye(2), y=np.array([0, 1]))
    assert ns.run({**SETTINGS, "data": tmp_path / name}).kernels["x"].shape == (2, 2)


def test_settings_that_are_none() -> None:
    for wrong, kind, message in [
        (3, TypeError, "settings: int; give a mapping"),
        ([("width", 8)], TypeError, "settings: list; give a mapping"),
        ({**SETTINGS, "until-time": 3.0}, ValueError, "until-time is given twice"),
        ({**SETTINGS, "data": (np.eye(2),)}, ValueError, "data: 1 arrays"),
    ]:
        with pytest.raises(kind, match=message):
            ns.run(wrong)  # type: ignore[arg-type]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as missing:
        ns.run(tmp_path / "none.toml")
    assert missing.value.filename == str(tmp_path / "none.toml")
    run = ns.run(SETTINGS)
    with pytest.raises(FileNotFoundError) as missing:
        run.report(tmp_path / "none" / "r.html")
    assert missing.value.filename == str(tmp_path / "none" / "r.html")


def test_wrong_settings(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="widht"):
        ns.run({"widht": 8, "loss": "mse"})
    with pytest.raises(ValueError, match="give loss='mse'"):
        ns.run({"width": 8})
    with pytest.raises(ns.DataError, match="none.npz"):
        ns.run({**SETTINGS, "data": str(tmp_path / "none.npz")})
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(TypeError, match="dtype: int64; give float32 or float64"):
        ns.run({**SETTINGS, "dtype": np.int64})


def test_a_place_that_is_not_empty(tmp_path: Path) -> None:
    run = ns.run(SETTINGS, out=tmp_path / "o")
    (tmp_path / "o" / "mine").touch()
    with pytest.raises(ValueError, match="not empty; give another directory, or replace its contents with force"):
        ns.run(SETTINGS, out=tmp_path / "o")
    assert np.array_equal(ns.run(SETTINGS, out=tmp_path / "o", force=True).trace["loss"], run.trace["loss"])
    assert (tmp_path / "o" / "mine").exists()


def test_messages_name_keywords(tmp_path: Path) -> None:
    for wrong, options, message in [
        ({}, {"memory": "1kB"}, "more than 1000 B \\(memory\\); reduce n or width, use dtype f32, or raise memory$"),
        ({"until_time": -3.0}, {}, "^until_time=-3: must be finite and positive"),
        ({"smoothing": 3.0}, {}, "^smoothing=3: must be at least 0"),
        ({"optimizer": "gd"}, {}, "give rate \\("),
        ({"widht": 8}, {}, "unknown key `widht` in settings;"),
        ({}, {"threads": 100000}, "^threads=100000: give a whole number"),
    ]:
        with pytest.raises(ValueError, match=message) as raised:
            ns.run({**SETTINGS, **wrong}, **options)  # type: ignore[arg-type, dict-item]
        assert "--" not in str(raised.value)


def test_a_study_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="divergnce"):
        ns.reproduce("divergnce", out=tmp_path / "study")
