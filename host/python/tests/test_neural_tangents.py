"""Against neural-tangents, whose versions exclude those of others: with ``--neural-tangents PYTHON``."""

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ntkscope as ns
from reference import B_STD, SHARED, W_STD, apart

SCRIPT = Path(__file__).parent / "neural_tangents_kernels.py"


@pytest.fixture(scope="module")
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    python = request.config.getoption("--neural-tangents")
    if python is None:
        pytest.skip("no --neural-tangents PYTHON")
    out = tmp_path_factory.mktemp("peer") / "kernels.npz"
    done = subprocess.run([python, str(SCRIPT), str(out)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return np.load(out)


CASES = [(number, bias) for number in range(len(SHARED)) for bias in (False, True)]


@pytest.mark.parametrize(("number", "bias"), CASES)
def test_analytic(found: Any, number: int, bias: bool) -> None:
    """Its weights have variance W_std^2/inputs in every layer, ours c_in in the first and sigma_w^2/inputs in the others."""
    names, x1, x2 = SHARED[number], found["x1"], found["x2"]
    scales = {"bias": "all", "bias_scale": B_STD} if bias else {"bias": "none"}
    kernel = ns.kernel_fn(depth=len(names), activation=list(names), c_in=W_STD**2 / 4, sigma_w2=W_STD**2, **scales)
    nngp, ntk = kernel(x1, x2, get=("nngp", "ntk"))
    key = f"{number} {bias} ntk"
    assert apart(nngp, found[f"{key} nngp"]) < 1e-12
    assert apart(ntk, found[f"{key} limit"]) < 1e-12
    # its angles are 1e-8 off where samples meet themselves: an arccosine of 1 less rounding
    assert apart(kernel(x1), found[f"{key} own"]) < 1e-7


@pytest.mark.parametrize("parameterization", ["ntk", "standard"])
@pytest.mark.parametrize(("number", "bias"), CASES)
def test_empirical(found: Any, number: int, bias: bool, parameterization: str) -> None:
    names, key = SHARED[number], f"{number} {bias} {parameterization}"
    pairs = []
    for index in range(len(names) + 1):
        b = found[f"{key} b{index}"] if bias else None
        pairs.append((found[f"{key} w{index}"], b))
    net = ns.from_stax(pairs, names, W_std=W_STD, b_std=B_STD if bias else None, parameterization=parameterization)
    assert apart(net(found["x1"]), found[f"{key} outputs"]) < 1e-12
    assert apart(ns.ntk(net, found["x1"], found["x2"]), found[f"{key} empirical"]) < 1e-12
