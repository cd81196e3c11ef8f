"""The kernel of an infinitely wide network for scikit-learn: the only module that imports it."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.gaussian_process.kernels import Kernel

from ._arrays import as_numpy
from ._native import KernelFn, kernel_fn


class NTKKernel(Kernel):  # type: ignore[misc,unused-ignore]
    """The analytic NTK as a kernel for ``GaussianProcessRegressor``, ``SVC(kernel=k)`` and ``KernelRidge(kernel=k)``.

    ``depth``: hidden layers; the rest as for ``kernel_fn``. All are fixed: there is no gradient for an optimizer to follow.

    >>> import numpy as np
    >>> from ntkscope.sklearn import NTKKernel
    >>> NTKKernel(depth=1)(np.eye(2)).shape
    (2, 2)
    """

    def __init__(
        self,
        depth: int = 2,
        activation: str = "relu",
        bias: str = "none",
        sigma_w2: float = 2.0,
        bias_scale: float = 1.0,
    ) -> None:
        self.depth, self.activation, self.bias = depth, activation, bias
        self.sigma_w2, self.bias_scale = sigma_w2, bias_scale

    def __call__(self, X: Any, Y: Any = None, eval_gradient: bool = False) -> Any:
        """The kernel ``(n, m)``, and with ``eval_gradient`` its derivatives by no parameter, ``(n, n, 0)``."""
        x, y = _samples("X", X), None if Y is None else _samples("Y", Y)
        if y is not None and x.dtype != y.dtype:
            # as scikit-learn's own kernels have it of samples of two types
            x, y = x.astype(np.float64), y.astype(np.float64)
        if x.ndim == 1:
            # KernelRidge hands out pairs of samples
            return self._kernel()(x[None, :], None if y is None else y[None, :])[0, 0]
        kernel = self._kernel()(x, y)
        if not eval_gradient:
            return kernel
        if y is not None:
            raise ValueError("Gradient can only be evaluated when Y is None.")
        return kernel, np.empty((len(x), len(x), 0))

    def diag(self, X: Any) -> Any:
        """The kernel of every sample with itself, ``(n,)``."""
        return self._kernel().diag(_samples("X", X))

    def is_stationary(self) -> bool:
        """It depends on more than differences of samples."""
        return False

    def _kernel(self) -> KernelFn:
        return kernel_fn(
            depth=self.depth,
            activation=self.activation,
            bias=self.bias,
            sigma_w2=self.sigma_w2,
            bias_scale=self.bias_scale,
        )

    def __repr__(self) -> str:
        return "NTKKernel(" + ", ".join(f"{name}={value!r}" for name, value in sorted(self.get_params().items())) + ")"


def _samples(name: str, given: Any) -> Any:
    """scikit-learn hands out what it was given, of any order and type."""
    array = np.ascontiguousarray(as_numpy(name, given))
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)
