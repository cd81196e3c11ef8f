"""Kernels of infinite width, spectra, distances, predictions."""

import math
import pickle
from typing import Any

import numpy as np
import pytest

import ntkscope as ns
from reference import apart

X = np.random.default_rng(0).normal(size=(9, 4))


def relu_kernels(x: np.ndarray, depth: int) -> tuple[np.ndarray, np.ndarray]:
    """NNGP and NTK by the arc-cosine recursion, sigma_w^2 = 2, c_in = 1, no biases."""
    s = x @ x.T
    t = s.copy()
    for _ in range(depth):
        root = np.sqrt(np.outer(np.diag(s), np.diag(s)))
        cosine = np.clip(s / root, -1, 1)
        np.fill_diagonal(cosine, 1.0)
        theta = np.arccos(cosine)
        derivative = (math.pi - theta) / math.pi
        s = root * (np.sin(theta) + (math.pi - theta) * cosine) / math.pi
        t = s + derivative * t
    return s, t


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_relu_in_closed_form(depth: int) -> None:
    kernel = ns.kernel_fn(depth=depth)
    nngp, ntk = relu_kernels(X, depth)
    assert apart(kernel(X), ntk) < 1e-12
    assert apart(kernel(X, get="nngp"), nngp) < 1e-12
    both = kernel(X, X[:3], get=("nngp", "ntk"))
    assert isinstance(both, tuple) and apart(both[0], nngp[:, :3]) < 1e-12 and apart(both[1], ntk[:, :3]) < 1e-12
    assert apart(kernel.diag(X), np.diag(ntk)) < 1e-12
    assert kernel(X.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize("activation", ["relu", "gelu", "tanh", "erf", "silu", "leaky-relu:0.3"])
def test_it_is_the_limit(activation: str) -> None:
    x = X / np.linalg.norm(X, axis=1, keepdims=True)
    limit = ns.kernel_fn(depth=2, activation=activation, bias="input")(x)
    nets = [ns.fcn(4, [1024, 1024], seed=seed, activation=activation) for seed in range(4)]
    mean = np.mean([ns.ntk(net, x) for net in nets], axis=0)
    assert np.linalg.norm(mean - limit) < 0.08 * np.linalg.norm(limit)


def test_a_network_of_either_parametrization_has_the_limit_of_its_own() -> None:
    limit = ns.kernel_fn(widths=[40, 90], parametrization="standard")(X)
    ntk = ns.kernel_fn(widths=[40, 90])(X)
    assert limit.shape == ntk.shape and limit[0, 0] > 10 * ntk[0, 0]
    with pytest.raises(ns.NoLimit, match="give widths="):
        ns.kernel_fn(depth=2, parametrization="standard")


def test_kernels_pickle() -> None:
    kernel = ns.kernel_fn(depth=2, activation=["tanh", "leaky-relu:0.3"], bias="all", c_in=0.5, bias_scale=0.1)
    again = pickle.loads(pickle.dumps(kernel))
    assert repr(again) == repr(kernel) and np.array_equal(again(X), kernel(X))


def test_wrong_kernels() -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({}, "give depth= or widths="),
        ({"depth": 0}, "depth"),
        ({"depth": 10**12}, "at most 10000"),
        ({"depth": 2, "widths": [3]}, "depth 2, but 1 widths"),
        ({"depth": 1, "activation": "rleu"}, "rleu"),
        ({"depth": 1, "bias": "some"}, "give one of none, input, hidden, all"),
        ({"depth": 2, "activation": ["relu"] * 3}, "activations"),
        ({"depth": 1, "c_in": -1.0}, "variance"),
    ]
    for arguments, message in cases:
        with pytest.raises(ValueError) as caught:
            ns.kernel_fn(**arguments)
        assert message in str(caught.value)
    kernel = ns.kernel_fn(depth=1)
    with pytest.raises(ValueError, match="get"):
        kernel(X, get="gp")
    with pytest.raises(ValueError, match="x2: shape"):
        kernel(X, X[:, :2].copy())
    with pytest.raises(TypeError, match="x2: float32"):
        kernel(X, X.astype(np.float32))


def test_spectrum() -> None:
    kernel = ns.ntk(ns.fcn(4, [64], outputs=2), X)
    spectrum, values = ns.spectrum(kernel, k=3), np.linalg.eigvalsh(kernel)
    assert np.allclose(spectrum.largest, values[::-1][:3], rtol=1e-12)
    assert np.allclose(spectrum.smallest, values[:3], atol=1e-12 * values[-1])
    assert spectrum.n == 18 and abs(spectrum.trace - np.trace(kernel)) < 1e-10
    share = values / values.sum()
    assert spectrum.effective_rank is not None
    assert abs(spectrum.effective_rank - math.exp(-(share * np.log(share)).sum())) < 1e-8
    assert spectrum.definiteness == "positive-definite" and "18 rows" in repr(spectrum)
    assert "<table>" in spectrum._repr_html_()
    for wrong, kind in [(kernel[:3], ValueError), (np.triu(kernel), ns.DataError), (kernel * np.nan, ns.NotFinite)]:
        with pytest.raises(kind):
            ns.spectrum(wrong)


def test_spectrum_without_the_kernel() -> None:
    net = ns.fcn(4, [32, 16], outputs=3)
    ours, whole = ns.spectrum(net, X), ns.spectrum(ns.ntk(net, X))
    assert abs(ours.largest[0] - whole.largest[0]) <= ours.residuals[0] + 1e-9 * whole.largest[0]
    assert abs(ours.smallest[0] - whole.smallest[0]) <= ours.residuals[1] + 1e-9 * whole.largest[0]
    assert abs(ours.trace - whole.trace) < 1e-10 * whole.trace
    assert np.allclose(ours.largest, whole.largest, rtol=1e-9) and len(ours.smallest) == 6
    assert np.abs(ours.smallest - whole.smallest).max() <= 1e-9 * whole.largest[0]
    x = np.random.default_rng(1).normal(size=(300, 4)).astype(np.float32)
    large = ns.fcn(4, [64], outputs=2)
    single = ns.from_state_dict({name: array.astype(np.float32) for name, array in large.state_dict().items()})
    ours, whole = ns.spectrum(single, x, k=4), ns.spectrum(ns.ntk(single, x, dtype=np.float64))
    assert np.allclose(ours.largest, whole.largest[:4], rtol=1e-5)
    with pytest.raises(ValueError, match="give the samples"):
        ns.spectrum(net)


def test_distances() -> None:
    a, b = ns.ntk(ns.fcn(4, [64]), X), ns.kernel_fn(depth=1, bias="input")(X)
    distances = ns.compare(a, b)
    assert distances.max == np.abs(a - b).max()
    assert abs(distances.frobenius - np.linalg.norm(a - b) / np.linalg.norm(b)) < 1e-14
    assert abs(distances.lambda_max[1] - np.linalg.eigvalsh(b)[-1]) < 1e-12 * b.max() * 9
    assert ns.compare(b, b).alignment == 1.0
    with pytest.raises(ValueError, match="same samples"):
        ns.compare(a, b[:5, :5].copy())


def test_regression() -> None:
    """Squared error at infinite time: K(x', X) K(X, X)^-1 y, from f_0 = 0 on the mean."""
    kernel, y, test = ns.kernel_fn(depth=2, bias="input"), np.sin(X[:, 0]), X[:4] + 0.3
    prediction = ns.predict(kernel, X, y, test)
    expected = kernel(test, X) @ np.linalg.solve(kernel(X), y)
    assert apart(prediction.mean[:, 0], expected) < 1e-9
    assert prediction.mean.shape == prediction.deviation.shape == (4, 1)
    assert (prediction.deviation > 0).all()
    ridge = ns.predict(kernel, X, y, test, penalty=0.1)
    expected = kernel(test, X) @ np.linalg.solve(kernel(X) + 0.1 * len(X) * np.eye(len(X)), y)
    assert apart(ridge.mean[:, 0], expected) < 1e-9
    with pytest.raises(ValueError, match="no classes"):
        prediction.accuracy(np.arange(4))


def test_the_linearized_network() -> None:
    net, y, test = ns.fcn(4, [64], seed=2), np.sin(X[:, 0]), X[:4] + 0.3
    prediction = ns.predict(net, X, y, test)
    kernel = ns.ntk(net, X)
    moved = np.linalg.solve(kernel, y - net(X)[:, 0])
    assert apart(prediction.mean[:, 0], net(test)[:, 0] + ns.ntk(net, test, X) @ moved) < 1e-8
    assert not prediction.deviation.any()
    start = ns.predict(net, X, y, test, time=0.0)
    assert apart(start.mean, net(test)) < 1e-12


@pytest.mark.parametrize("loss", ["mse", "cross-entropy"])
@pytest.mark.parametrize("classes", [2, 3])
def test_classes(loss: str, classes: int) -> None:
    rng = np.random.default_rng(1)
    y = rng.integers(0, classes, size=60) + 5
    x = rng.normal(size=(60, 4)) * 0.3 + np.eye(4)[y - 5] * 3
    prediction = ns.predict(ns.kernel_fn(depth=1), x[:40], y[:40], x[40:], loss=loss, penalty=0.01)
    assert prediction.accuracy(y[40:]) > 0.9
    with pytest.raises(ValueError, match="y_test: 5 labels, but 20 points"):
        prediction.accuracy(y[:5])
    assert prediction.mean.shape == (20, 1 if classes == 2 else classes)
    with pytest.raises(ValueError, match="label 1 is none of the classes"):
        prediction.accuracy(np.ones(20, dtype=int))


def test_predictions_that_are_refused() -> None:
    kernel, y = ns.kernel_fn(depth=1), np.array([0, 1, 0, 1, 0, 1, 0, 1, 1])
    cases: list[tuple[Any, str]] = [
        ((kernel, X, y, X), "give penalty="),
        ((kernel, X, y[:5], X), "y: 5 samples, but x has 9"),
        ((kernel, X, np.zeros(9, dtype=int), X), "1 class"),
        ((kernel, X, y * 1.0, X), "needs classes"),
        ((kernel, X, y, X[:, :2].copy()), "x_test: shape"),
        ((None, X, y, X), "kernel: give"),
        ((ns.fcn(4, [3], outputs=3), X, np.ones((9, 2)), X), "y asks for 2 outputs"),
    ]
    for arguments, message in cases:
        with pytest.raises(ValueError) as caught:
            ns.predict(*arguments, loss="mse" if "2 outputs" in message else "cross-entropy")
        assert message in str(caught.value), caught.value
    with pytest.raises(ValueError, match='loss: "l2"; give one of mse'):
        ns.predict(kernel, X, y, X, loss="l2")


def test_for_scikit_learn() -> None:
    pytest.importorskip("sklearn")
    from ntkscope.sklearn import NTKKernel
    from sklearn.base import clone
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.kernel_ridge import KernelRidge
    from sklearn.svm import SVC

    kernel, y = NTKKernel(depth=2, bias="input"), np.sin(X[:, 0])
    exact = ns.kernel_fn(depth=2, bias="input")
    assert np.array_equal(kernel(X, X[:2]), exact(X, X[:2]))
    process = GaussianProcessRegressor(kernel, alpha=1e-8).fit(X, y)
    mean, deviation = process.predict(X, return_std=True)
    assert np.allclose(mean, y, atol=1e-5) and (deviation < 1e-2).all()
    assert SVC(kernel=kernel).fit(X, y > 0).score(X, y > 0) == 1.0
    assert np.allclose(KernelRidge(alpha=1e-8, kernel=kernel).fit(X, y).predict(X), y, atol=1e-5)
    assert clone(kernel).get_params() == kernel.get_params() and not kernel.is_stationary()
    assert kernel == clone(kernel) and kernel != NTKKernel(depth=3)


def test_a_spectrum_says_what_has_converged() -> None:
    net, x = ns.fcn(3, [16]), np.random.default_rng(0).standard_normal((8, 3))
    products, whole = ns.spectrum(net, x), ns.spectrum(ns.ntk(net, x))
    assert products.converged == whole.converged == (True, True)
    assert products.definiteness == whole.definiteness
    assert products.condition == pytest.approx(whole.condition)
