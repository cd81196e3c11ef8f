"""Modules of PyTorch, which is not imported: a module says by the names of its types what it is."""

from __future__ import annotations

from ._arrays import as_numpy
from ._native import Network, UnsupportedLayer, _of_layers

TYPE_CHECKING = False  # as of typing, which takes longer to import than all of this
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_TAKEN = "Linear, Flatten, Identity, Dropout, ReLU, LeakyReLU, GELU, Tanh, Sigmoid, SiLU and Softplus"

# what stands between two layers, by the name of its type
_PLAIN = {"ReLU": "relu", "Tanh": "tanh", "Sigmoid": "sigmoid", "SiLU": "silu"}


def from_torch(module: Any, *, check: Any = None) -> Network:
    """The network that a ``torch.nn.Linear``, or a ``Sequential`` of linear layers and activations, nested or not, computes.

    Parameters are copied; those with ``requires_grad=False`` have rate 0, and no share in the kernel. ``check=x``: calls the module
    on ``x`` ``(n, d)`` once, and raises ValueError where it computes something else. The module is not changed: neither its mode nor
    its gradients nor any random state.

    Raises UnsupportedLayer for another layer; for a module of another type, whose ``forward`` is not seen, use
    ``from_state_dict(module.state_dict(), activation=...)``.

    >>> import ntkscope as ns
    >>> torch = __import__("pytest").importorskip("torch")
    >>> ns.from_torch(torch.nn.Sequential(torch.nn.Linear(784, 256), torch.nn.GELU(), torch.nn.Linear(256, 10)))
    Network(inputs=784, widths=[256], outputs=10, parameters=203530, float32)
    """
    layers: list[Any] = []
    seen: dict[int, str] = {}
    for name, layer in _walk(module, ""):
        kind = type(layer).__name__
        where = f"layer {name} ({kind})" if name else kind
        if not _is_torch(layer):
            raise UnsupportedLayer(
                f"{where}: its forward is not seen from here; use from_state_dict(module.state_dict(), activation=...)"
            )
        if kind == "Linear":
            layers.append(_linear(name, layer, seen))
            continue
        activation = _activation(where, kind, layer, bool(layers))
        if activation is None:
            continue
        if not layers:
            raise UnsupportedLayer(f"{where}: an activation in front of the first Linear; apply it to the samples")
        if layers[-1][3] != "identity":
            raise UnsupportedLayer(f"{where}: a second activation after {layers[-1][0]}; one is measured")
        layers[-1][3] = activation
    if not layers:
        raise UnsupportedLayer(f"{type(module).__name__}: no Linear in it")
    if layers[-1][3] != "identity":
        raise UnsupportedLayer(
            f"the module ends with an activation ({layers[-1][3]}); measure what is in front of it, or put a Linear after it"
        )
    net = _of_layers([tuple(layer) for layer in layers])
    if check is not None:
        check_outputs(module, net, check)
    return net


def check_outputs(module: Any, net: Network, x: Any) -> None:
    """Calls ``module`` on ``x`` ``(n, d)`` once, and raises ValueError where its outputs are not those of ``net``."""
    import numpy as np

    x = as_numpy("check", x)
    x = x.reshape(len(x), -1).astype(net.dtype, copy=False)
    torch = __import__(type(next(iter(module.parameters()))).__module__.split(".")[0])
    parameter = next(iter(module.parameters()))
    with torch.no_grad():
        theirs = as_numpy("outputs", module(torch.from_numpy(np.array(x)).to(parameter.device)))
    ours = net(np.ascontiguousarray(x))
    if theirs.shape != ours.shape:
        raise ValueError(f"the module computes something else: outputs of shape {theirs.shape}, not {ours.shape}")
    apart = float(np.abs(theirs - ours).max())
    largest = float(np.abs(ours).max())
    if not apart <= (1e-5 if net.dtype == np.float32 else 1e-10) * largest:
        raise ValueError(
            f"the module computes something else: outputs differ by {apart:.3g}, the largest being {largest:.3g}; is it in eval mode?"
        )


def _is_torch(layer: Any) -> bool:
    return type(layer).__module__.split(".")[0] == "torch"


def _walk(module: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Layers in the order of their calls, with the names that ``state_dict`` has for them."""
    if type(module).__name__ == "Sequential" and _is_torch(module):
        # named_children leaves out a layer that stands twice
        for inner, layer in module._modules.items():
            yield from _walk(layer, f"{name}.{inner}" if name else inner)
    else:
        yield name, module


def _linear(name: str, layer: Any, seen: dict[int, str]) -> list[Any]:
    """Name, W, b, activation, (c, s), rates."""
    prefix = f"{name}." if name else ""
    for part, tensor in (("weight", layer.weight), ("bias", layer.bias)):
        if tensor is None:
            continue
        other = seen.setdefault(tensor.data_ptr(), prefix + part)
        if other != prefix + part:
            raise UnsupportedLayer(
                f"{other} and {prefix}{part} are one tensor: the kernel of tied weights has cross terms that its layers lack"
            )
    if getattr(layer, "_forward_pre_hooks", None) or hasattr(layer, "weight_g"):
        raise UnsupportedLayer(f"layer {name} (Linear): its weight is made of other tensors; remove the reparametrization")
    weight = as_numpy(prefix + "weight", layer.weight)
    bias = None if layer.bias is None else as_numpy(prefix + "bias", layer.bias)
    trained = [float(tensor is not None and tensor.requires_grad) for tensor in (layer.weight, layer.bias)]
    return [prefix + "weight", weight, bias, "identity", (1.0, 1.0), trained]


def _activation(where: str, kind: str, layer: Any, after: bool) -> str | None:
    """Name of the function of a layer without parameters; None of one that changes nothing."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    if kind == "LeakyReLU":
        return f"leaky-relu:{layer.negative_slope!r}"
    if kind == "GELU":
        if getattr(layer, "approximate", "none") != "none":
            raise UnsupportedLayer(f"{where}: approximate={layer.approximate!r} is another function; use GELU()")
        return "gelu"
    if kind == "Softplus":
        if layer.beta != 1 or getattr(layer, "threshold", 20) != 20:
            raise UnsupportedLayer(f"{where}: beta={layer.beta}, threshold={layer.threshold}; only beta=1, threshold=20 is measured")
        return "softplus"
    if kind in ("Dropout", "AlphaDropout"):
        if layer.training and layer.p > 0:
            raise UnsupportedLayer(f"{where}: random in training mode; call module.eval() first")
        return None
    if kind == "Identity":
        return None
    if kind == "Flatten" and not after:
        if (getattr(layer, "start_dim", 1), getattr(layer, "end_dim", -1)) != (1, -1):
            raise UnsupportedLayer(f"{where}: start_dim={layer.start_dim}, end_dim={layer.end_dim}; only Flatten() is measured")
        return None
    raise UnsupportedLayer(f"{where}: only {_TAKEN} are measured, Flatten in front")
