"""Networks of stored parameters, and of a seed."""

from __future__ import annotations

from ._arrays import Owners, as_numpy, items
from ._native import Network, _of_arrays, _of_keywords

TYPE_CHECKING = False  # as of typing, which takes longer to import than all of this
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from numpy.typing import DTypeLike


def from_state_dict(
    state: Mapping[str, Any], activation: str | Sequence[str] = "relu", *, order: Sequence[str] | None = None
) -> Network:
    """The fully connected network of a mapping from names to arrays or tensors, as ``module.state_dict()`` gives it.

    Names end in ``weight`` ``(outputs, inputs)`` and ``bias`` ``(outputs,)``; what is in front names the layer. ``activation``: a name (relu,
    leaky-relu:0.2, erf, gelu, tanh, sigmoid, silu, softplus, sine, identity), or one for every hidden layer. ``order``: names of the layers,
    where shapes, numbers in the names and the order of the mapping, unless that is merely sorted, leave it open. Parameters are
    copied, all of one dtype, float32 or float64.

    Raises ValueError for an array that belongs to no fully connected layer, for layers that do not follow one another or in more
    than one way, and for tied weights; TypeError for other dtypes; NotFinite for nan and infinite numbers.

    >>> import numpy as np, ntkscope as ns
    >>> ns.from_state_dict({"0.weight": np.ones((4, 3)), "0.bias": np.zeros(4), "2.weight": np.ones((1, 4))}, "gelu")
    Network(inputs=3, widths=[4], outputs=1, parameters=20, float64)
    """
    owners, arrays = Owners(), []
    for name, given in items("state", state, "a mapping from names to arrays, as module.state_dict()"):
        if not isinstance(name, str):
            raise TypeError(f"state: the key {name!r}; give names, as module.state_dict() does")
        owners.add(name, given)
        arrays.append((name, as_numpy(name, given)))
    # what module.state_dict() gives says so; the order of any other mapping counts where it is not sorted
    return _of_arrays(arrays, activation, None if order is None else list(order), hasattr(state, "_metadata"))


def fcn(
    inputs: int,
    widths: Sequence[int],
    outputs: int = 1,
    *,
    activation: str | Sequence[str] = "relu",
    bias: str = "input",
    bias_scale: float = 1.0,
    parametrization: str = "ntk",
    init: str = "standard",
    seed: int = 0,
    dtype: DTypeLike = "f64",
) -> Network:
    """A fully connected network with parameters drawn from ``seed``, that of the command line's ``--widths`` and ``--seed``, bit for bit.

    ``bias``: none, input, hidden or all; ``parametrization``: ntk, standard, mean-field or mup; ``init``: standard, or mirrored (two
    copies, subtracted, of which the outputs begin at 0); ``dtype``: f32 or f64, or numpy's.

    >>> import ntkscope as ns
    >>> ns.fcn(784, [256, 256], outputs=10, activation="gelu", dtype="f32")
    Network(inputs=784, widths=[256, 256], outputs=10, parameters=269056, float32)
    """
    try:
        hidden = list(widths)
    except TypeError:
        raise TypeError(f"widths: {widths!r}; give one for each hidden layer, as [{widths!r}]") from None
    keywords = {
        "widths": hidden,
        "activation": activation,
        "bias": bias,
        "bias_scale": bias_scale,
        "parametrization": parametrization,
        "init": init,
        "seed": seed,
        "dtype": dtype,
    }
    return _of_keywords(inputs, outputs, keywords, "in fcn")


def resnet(
    inputs: int,
    width: int,
    depth: int,
    outputs: int = 1,
    *,
    alpha: float = 1.0,
    activation: str = "relu",
    bias: str = "input",
    bias_scale: float = 1.0,
    trained: str = "all",
    init: str = "standard",
    seed: int = 0,
    dtype: DTypeLike = "f64",
) -> Network:
    """A residual network of ``depth`` blocks with parameters drawn from ``seed``: the command line's ``--network resnet``.

    ``alpha``: scale of the branches; ``trained``: all, or branches; the rest as for ``fcn``.

    >>> import ntkscope as ns
    >>> ns.resnet(3, 16, 2)
    Network(inputs=3, widths=[16, 16], outputs=1, parameters=1104, float64)
    """
    keywords = {
        "network": "resnet",
        "width": width,
        "depth": depth,
        "alpha": alpha,
        "activation": activation,
        "bias": bias,
        "bias_scale": bias_scale,
        "trained": trained,
        "init": init,
        "seed": seed,
        "dtype": dtype,
    }
    return _of_keywords(inputs, outputs, keywords, "in resnet")
