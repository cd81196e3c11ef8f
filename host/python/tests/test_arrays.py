"""Which arrays are read in place, and what is said of the others."""

import ctypes
from typing import Any

import numpy as np
import pytest

import ntkscope as ns
NET = ns.fcn(3, [8, 4], outputs=2, bias="all", seed=1)
X = np.random.default_rng(0).normal(size=(7, 3))
K = ns.ntk(NET, X)


def unaligned() -> np.ndarray:
    bytes_ = np.zeros(X.nbytes + 1, dtype=np.uint8)
    array = bytes_[1:].view(np.float64).reshape(X.shape)
    array[:] = X
    return array


REFUSED: dict[str, tuple[Any, type[Exception], str]] = {
    "Fortran": (np.asfortranarray(X), TypeError, "x1: Fortran-ordered; use numpy.ascontiguousarray(x1)"),
    "transposed": (np.ascontiguousarray(X.T).T, TypeError, "x1: Fortran-ordered"),
    "strided": (np.repeat(X, 2, axis=1)[:, ::2], TypeError, "x1: strided; use numpy.ascontiguousarray(x1)"),
    "reversed": (X[::-1], TypeError, "x1: strided"),
    "big-endian": (X.astype(">f8"), TypeError, "foreign byte order (>f8); use x1.astype(numpy.float64)"),
    "half": (X.astype(np.float16), TypeError, "float16; use x1.astype(numpy.float32)"),
    "long": (X.astype(np.longdouble), TypeError, "use x1.astype(numpy.float32) or float64"),
    "integers": (X.astype(np.int64), TypeError, "int64; use x1.astype"),
    "complex": (X.astype(complex), TypeError, "complex128; give numbers"),
    "text": (X.astype(str), TypeError, "give numbers"),
    "list": (X.tolist(), TypeError, "x1: list; give a numpy array"),
    "none": (None, TypeError, "x1: NoneType"),
    "masked": (np.ma.masked_array(X), TypeError, "masked array, whose mask would be lost; use x1.filled"),
    "unaligned": (unaligned(), TypeError, "not aligned in memory; use x1.copy()"),
    "one-dimensional": (X[0], ValueError, "x1: 1-dimensional; one sample is a row"),
    "three-dimensional": (X[:, None, :], ValueError, "x1: shape (7, 1, 3); one sample is a row"),
    "empty": (X[:0], ValueError, "x1: no samples, shape (0, 3)"),
    "without numbers": (X[:, :0].copy(), ValueError, "samples without numbers"),
    "other size": (X[:, :2].copy(), ValueError, "x1: shape (7, 2), but the network takes samples of 3 numbers"),
    "single": (X.astype(np.float32), TypeError, "x1: float32, but the network is float64; use x1.astype(numpy.float64)"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    array, kind, message = REFUSED[case]
    with pytest.raises(kind) as caught:
        ns.ntk(NET, array)
    assert message in str(caught.value)


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_not_finite(number: float, dtype: type) -> None:
    x: Any = X.astype(dtype)
    x[5, 2] = number
    with pytest.raises(ns.NotFinite, match=r"x1\[5, 2\] is (nan|infinite)"):
        ns.ntk(NET, x, dtype=dtype)
    with pytest.raises(ns.NotFinite, match=r"x2\[5, 2\]"):
        ns.ntk(NET, X.astype(dtype), x, dtype=dtype)


def test_a_result_that_is_not_finite_names_its_samples() -> None:
    x = X.astype(np.float32)
    x[3] *= 1e17
    net = ns.fcn(3, [8, 4], seed=1, dtype="f32")
    with pytest.raises((ns.NotFinite, ValueError), match="3"):
        ns.ntk(net.with_rates(1e30, 1e30), x)


def test_read_where_they_lie() -> None:
    larger = np.zeros((20, 3))
    larger[4:11] = X
    rows = larger[4:11]
    assert np.array_equal(ns.ntk(NET, rows), K)
    rows.flags.writeable = False
    assert np.array_equal(ns.ntk(NET, rows), K)
    # memory of another owner
    owner: Any = (ctypes.c_double * X.size)(*X.ravel())
    assert np.array_equal(ns.ntk(NET, np.frombuffer(owner).reshape(X.shape)), K)


def test_one_sample_and_one_number() -> None:
    assert ns.ntk(NET, X[:1]).shape == (2, 2)
    net = ns.fcn(1, [4])
    assert ns.ntk(net, np.ones((1, 1))).shape == (1, 1)
    # a column is contiguous both ways
    assert ns.ntk(net, np.asfortranarray(np.ones((5, 1)))).shape == (5, 5)


def test_results_are_ours() -> None:
    assert K.flags.c_contiguous and K.flags.writeable and K.flags.aligned and K.dtype == np.float64
    again = ns.ntk(NET, X)
    again += 1
    assert np.array_equal(ns.ntk(NET, X), K)


def test_out_is_written_in_place() -> None:
    out = np.full((14, 14), np.nan)
    assert ns.ntk(NET, X, out=out) is out
    assert np.array_equal(out, K)
    larger = np.zeros((3, 14, 14))
    ns.ntk(NET, X, out=larger[1])
    assert np.array_equal(larger[1], K) and not larger[::2].any()
    cases: list[tuple[Any, type[Exception], str]] = [
        (np.zeros((14, 13)), ValueError, "out: shape (14, 13), but the kernel has (14, 14)"),
        (np.zeros((14, 14), np.float32), TypeError, "out: "),
        (np.zeros((14, 14), order="F"), TypeError, "out: must be C-contiguous"),
        (5, TypeError, "out: int"),
        ("K.npz", ValueError, "ends with .npy"),
    ]
    for wrong, kind, message in cases:
        with pytest.raises(kind) as caught:
            ns.ntk(NET, X, out=wrong)
        assert message in str(caught.value)
    frozen = np.zeros((14, 14))
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        ns.ntk(NET, X, out=frozen)


def test_out_is_no_input() -> None:
    net = ns.fcn(4, [4])
    x = np.random.default_rng(0).normal(size=(4, 4))
    with pytest.raises(ValueError, match="is one of the inputs"):
        ns.ntk(net, x, out=x)


def test_shapes() -> None:
    y = X[:2] + 1
    assert ns.ntk(NET, X, y).shape == (14, 4)
    assert ns.ntk(NET, X, y, outputs="trace").shape == (7, 2)
    assert ns.ntk(NET, X, y, outputs=1).shape == (7, 2)
    assert ns.ntk(NET, X, y, parts=True).shape == (6, 14, 4)
    wrong: Any
    for wrong in (2, "all", -1, 1.5):
        with pytest.raises((ValueError, OverflowError), match="outputs"):
            ns.ntk(NET, X, outputs=wrong)
    with pytest.raises(ValueError, match="x2: shape"):
        ns.ntk(NET, X, X[:, :2].copy())


def test_blocks_have_the_bits_of_the_whole() -> None:
    """Several blocks, of one set and of two."""
    ours = ns.fcn(3, [16], outputs=3)
    x = np.random.default_rng(1).normal(size=(300, 3))
    full = ns.ntk(ours, x)
    assert np.array_equal(full, full.T)
    assert np.allclose(ns.ntk(ours, x, x[:70]), full[:, :210], rtol=1e-13)
    small = ns.ntk(ours, x[:5])
    assert np.array_equal(small, full[:15, :15])
