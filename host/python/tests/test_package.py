"""Documentation, types, what is named."""

import doctest
import importlib
import inspect
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import ntkscope
from ntkscope import _native

HERE = Path(__file__).parent
MODULES = ["flax", "networks", "predictions", "recorder", "runs", "sklearn", "torch"]


@pytest.mark.parametrize("name", ["_native", *MODULES])
def test_examples_of_the_documentation(name: str) -> None:
    if name in ("torch", "sklearn"):
        pytest.importorskip(name)
    module = importlib.import_module(f"ntkscope.{name}")
    finder, runner = doctest.DocTestFinder(recurse=True), doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    objects = [module, *(getattr(module, key) for key in dir(module) if not key.startswith("_"))]
    own = (f"ntkscope.{name}", "ntkscope", None)
    examples = {}
    for thing in objects:
        others = inspect.ismodule(thing) and thing is not module
        if not others and getattr(thing, "__module__", None) in own:
            for test in finder.find(thing, getattr(thing, "__name__", name), globs={}):
                examples[test.docstring] = test
    for test in examples.values():
        runner.run(test)
    assert runner.summarize(verbose=False).failed == 0
    assert runner.tries > 0


def test_the_example_of_the_pages(tmp_path: Path) -> None:
    """The one of README.md, here and at the top, as it stands."""
    blocks = []
    for page in (HERE.parent / "README.md", HERE.parents[2] / "README.md"):
        blocks.append(page.read_text().partition("```python\n")[2].partition("```")[0])
    assert blocks[0] == blocks[1] and blocks[0].startswith("import torch, ntkscope as ns")
    pytest.importorskip("torch")
    done = subprocess.run([sys.executable, "-c", blocks[0]], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Spectrum(100 rows")
    assert [file.name for file in tmp_path.iterdir()] == ["regime.html"]


def test_everything_is_documented() -> None:
    for name in ntkscope.__all__:
        thing = getattr(ntkscope, name)
        assert name == "__version__" or (thing.__doc__ and len(thing.__doc__) > 20), name
    for kind in (_native.Network, _native.KernelFn, _native.Spectrum):
        for key, member in vars(kind).items():
            assert key.startswith("_") or member.__doc__, f"{kind.__name__}.{key}"


def test_types() -> None:
    """Of the package, and of a program that uses it."""
    pytest.importorskip("mypy")
    places = [str(HERE.parent / "examples" / "mnist_drift.py"), str(Path(ntkscope.__file__).parent)]
    options = ["--strict", "--config-file", str(HERE / "mypy.ini")]
    done = subprocess.run([sys.executable, "-m", "mypy", *options, *places], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_stubs_are_those_of_the_module(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    stubtest = shutil.which("stubtest", path=str(Path(sys.executable).parent))
    if stubtest is None:
        pytest.skip("no stubtest beside this Python")
    allowed = tmp_path / "allowed"
    # the list of names is made by the module; the names themselves are compared
    allowed.write_text("ntkscope._native.__all__\n")
    options = ["--mypy-config-file", str(HERE / "mypy.ini"), "--allowlist", str(allowed)]
    done = subprocess.run([stubtest, "ntkscope._native", *options], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
