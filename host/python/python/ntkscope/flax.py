"""Parameters of Flax, and of neural-tangents' stax; neither is imported."""

from __future__ import annotations

import math

from ._arrays import Owners, as_numpy, items
from ._native import Network, _of_arrays, _of_layers

TYPE_CHECKING = False  # as of typing, which takes longer to import than all of this
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


def from_flax(
    params: Mapping[str, Any], activation: str | Sequence[str] = "relu", *, order: Sequence[str] | None = None
) -> Network:
    """The network of the nested parameters of Flax's ``Dense`` layers, whose ``kernel`` is ``(inputs, outputs)``: transposed here.

    Layers follow the numbers in their names, ``Dense_10`` after ``Dense_2``: the order of a mapping, which jax sorts by name, says nothing.
    The rest as for ``from_state_dict``.

    >>> import numpy as np, ntkscope as ns
    >>> params = {"Dense_0": {"kernel": np.ones((3, 4)), "bias": np.zeros(4)}, "Dense_1": {"kernel": np.ones((4, 2))}}
    >>> ns.from_flax({"params": params}, "tanh")
    Network(inputs=3, widths=[4], outputs=2, parameters=24, float64)
    """
    flat: dict[str, Any] = {}
    owners = Owners()

    def gather(prefix: str, values: Mapping[str, Any]) -> None:
        for name, value in items("params", values, "a nested mapping of arrays, as variables['params']"):
            path = f"{prefix}/{name}" if prefix else name
            if hasattr(value, "items"):
                gather(path, value)
            else:
                owners.add(path, value)
                flat[path] = as_numpy(path, value)

    gather("", params["params"] if hasattr(params, "items") and set(params) == {"params"} else params)
    return _of_arrays(list(flat.items()), activation, None if order is None else list(order), None)


def from_stax(
    params: Sequence[Any],
    activation: str | Sequence[str] = "relu",
    *,
    W_std: float = 1.0,
    b_std: float | None = None,
    parameterization: str = "ntk",
) -> Network:
    """The network of the parameters of ``stax.serial``: pairs ``(W, b)``, ``W`` ``(inputs, outputs)``, and ``()`` for what has none.

    ``parameterization="ntk"``: ``z = W_std/sqrt(inputs) W a + b_std b``; "standard": as stored. ``activation`` as for ``from_state_dict``.

    >>> import numpy as np, ntkscope as ns
    >>> ns.from_stax([(np.ones((3, 4)), np.zeros((1, 4))), (), (np.ones((4, 1)), None)], b_std=0.1).layers[0].s
    0.1
    """
    import numpy as np

    if parameterization not in ("ntk", "standard"):
        raise ValueError(f"parameterization: {parameterization!r}; give 'ntk' or 'standard'")
    dense = [pair for pair in params if len(pair) > 0]
    if not dense or any(len(pair) != 2 for pair in dense):
        raise ValueError("params: give a pair (W, b) for every dense layer, b None where there is none, and () for what has no parameters")
    names = [activation] * (len(dense) - 1) if isinstance(activation, str) else list(activation)
    if len(names) != len(dense) - 1:
        raise ValueError(f"activation: {len(names)} names, but the network has {len(dense) - 1} hidden layers")
    layers, owners = [], Owners()
    for index, (weights, bias) in enumerate(dense):
        owners.add(f"W{index}", weights)
        if bias is not None:
            owners.add(f"b{index}", bias)
        w = as_numpy(f"W{index}", weights)
        b = None if bias is None else np.ascontiguousarray(as_numpy(f"b{index}", bias).reshape(-1))
        ntk = parameterization == "ntk"
        if b is not None and ntk and b_std is None:
            raise ValueError("b_std: the network has biases; give their scale")
        c, s = (W_std / math.sqrt(len(w)), b_std or 0.0) if ntk else (1.0, 1.0)
        after = names[index] if index < len(names) else "identity"
        layers.append((f"W{index}", np.ascontiguousarray(w.T), b, after, (c, s), [1.0, 1.0]))
    return _of_layers(layers)
