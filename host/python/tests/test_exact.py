"""Kernels are exact: against the explicit Jacobian, and against PyTorch's derivatives where it is installed."""

import numpy as np
import pytest

import ntkscope as ns
from reference import ACTIVATIONS, Net, apart, random

SEEDS = range(200)


def network(net: Net, dtype: type = np.float64) -> ns.Network:
    return ns.from_state_dict(net.state_dict(dtype), net.activations)


@pytest.mark.parametrize("seed", SEEDS)
def test_against_the_jacobian(seed: int) -> None:
    net, x, y = random(seed)
    ours = network(net)
    assert apart(ours(x), net.outputs(x)) < 1e-12
    full = ns.ntk(ours, x)
    expected = net.kernel(x)
    assert apart(full, expected) < 1e-12
    assert np.array_equal(full, full.T)
    cross = net.kernel(x, y)
    assert apart(ns.ntk(ours, x, y), cross) < 1e-12
    outputs = ours.outputs
    four = cross.reshape(len(x), outputs, len(y), outputs)
    assert apart(ns.ntk(ours, x, y, outputs="trace"), np.einsum("icjc->ij", four) / outputs) < 1e-12
    k = seed % outputs
    assert apart(ns.ntk(ours, x, y, outputs=k), four[:, k, :, k]) < 1e-12
    parts = ns.ntk(ours, x, parts=True)
    assert np.abs(parts - net.parts(x)).max() < 1e-12 * np.abs(expected).max()
    assert apart(parts.sum(0), full) < 1e-12


def test_every_activation_is_among_them() -> None:
    seen = {name for seed in SEEDS for name in random(seed)[0].activations}
    assert seen == set(ACTIVATIONS)


@pytest.mark.parametrize("seed", range(0, 200, 7))
def test_single_precision(seed: int) -> None:
    net, x, _ = random(seed)
    ours = network(net, np.float32)
    kernel = ns.ntk(ours, x.astype(np.float32))
    assert kernel.dtype == np.float32
    rounded = Net([type(l)(l.w.astype("f4").astype("f8"), None if l.b is None else l.b.astype("f4").astype("f8")) for l in net.layers], net.activations)
    assert apart(kernel.astype(np.float64), rounded.kernel(x.astype("f4").astype("f8"))) < 1e-5
    double = ns.ntk(ours, x.astype(np.float32), dtype=np.float64)
    assert double.dtype == np.float64
    assert apart(double, rounded.kernel(x.astype("f4").astype("f8"))) < 1e-12


@pytest.mark.parametrize("seed", range(40))
def test_rates(seed: int) -> None:
    net, x, _ = random(seed)
    rng = np.random.default_rng(seed)
    rates = [list(rng.choice([0.0, 0.25, 1.0, 3.0], size=len(net.layers))) for _ in range(2)]
    for layer, rate_w, rate_b in zip(net.layers, *rates):
        layer.rate_w, layer.rate_b = float(rate_w), float(rate_b)
    ours = network(net).with_rates(*rates)
    expected, parts = net.kernel(x), ns.ntk(ours, x, parts=True)
    scale = max(np.abs(network(net)(x)).max(), np.abs(expected).max(), 1e-300)
    assert np.abs(ns.ntk(ours, x) - expected).max() <= 1e-12 * scale
    assert np.abs(parts - net.parts(x)).max() <= 1e-12 * scale
    assert apart(ours(x), net.outputs(x)) < 1e-12


@pytest.mark.parametrize("seed", range(40))
def test_conversion_to_ntk_parametrization(seed: int) -> None:
    """Rules 1 and 2: the same outputs; every part multiplied by the square of the ratio of its scales."""
    net, x, _ = random(seed)
    before = network(net)
    after = before.as_ntk(sigma_w2=1.5, sigma_b=0.5)
    assert apart(after(x), before(x)) < 1e-12
    ratios = []
    for index, layer in enumerate(after.layers):
        assert layer.c == (1.0 if index == 0 else np.sqrt(1.5 / layer.inputs))
        ratios += [layer.c**2, 0.25]
    parts = ns.ntk(before, x, parts=True) * np.array(ratios)[:, None, None]
    assert np.abs(ns.ntk(after, x, parts=True) - parts).max() < 1e-12 * np.abs(parts).max()


def test_time_is_in_units_of_the_rate() -> None:
    """Rule 4: all rates times four are four times the kernel."""
    net, x, _ = random(3)
    ours = network(net)
    assert apart(ns.ntk(ours.with_rates(4.0, 4.0), x), 4 * ns.ntk(ours, x)) < 1e-14


def test_training_is_the_same() -> None:
    """Rule 3: (c, W, eta) and (c', W c/c', eta (c/c')^2) have one kernel."""
    net, x, _ = random(4)
    ours = network(net)
    ntk = ours.as_ntk()
    rates_w = [1 / layer.c**2 for layer in ntk.layers]
    assert apart(ns.ntk(ntk.with_rates(rates_w, 1.0), x), ns.ntk(ours, x)) < 1e-12


@pytest.mark.parametrize("seed", range(10))
def test_products_without_the_kernel(seed: int) -> None:
    net, x, _ = random(seed)
    ours = network(net)
    kernel = ns.ntk(ours, x)
    v = np.random.default_rng(seed).normal(size=(len(kernel), 3))
    assert apart(ns.ntk_product(ours, x, v), kernel @ v) < 1e-12
    assert apart(ns.ntk_product(ours, x, v[:, 0].copy()), kernel @ v[:, 0]) < 1e-12


def test_residual_and_mirrored_networks() -> None:
    x = np.random.default_rng(0).normal(size=(6, 3))
    for net in [ns.resnet(3, 8, 2, outputs=2, bias="hidden"), ns.fcn(3, [8], outputs=2, init="mirrored")]:
        full = ns.ntk(net, x)
        assert apart(ns.ntk(net, x, parts=True).sum(0), full) < 1e-13
        assert apart(ns.ntk_product(net, x, np.ones(12)), full.sum(1)) < 1e-12
    single, pair = ns.fcn(3, [8], outputs=2), ns.fcn(3, [8], outputs=2, init="mirrored")
    assert np.abs(pair(x)).max() == 0
    assert apart(ns.ntk(pair, x), ns.ntk(single, x)) < 1e-14
