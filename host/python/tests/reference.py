"""What kernels are by their definition: an explicit Jacobian in numpy, in double precision."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Function = Callable[[Array], Array]

# activations of the networks that neural-tangents has too
_ITS = ["relu", "leaky-relu:0.3", "erf", "gelu", "sine", "identity"]
SHARED = [(name,) * depth for name in _ITS for depth in (1, 3)] + [("erf", "gelu", "leaky-relu:0.3", "sine")]
W_STD, B_STD = 1.3, 0.4

erf = np.vectorize(math.erf, otypes=[np.float64])


def sigmoid(z: Array) -> Array:
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1 / (1 + e), e / (1 + e))


def normal(z: Array) -> Array:
    return np.exp(-z * z / 2) / math.sqrt(2 * math.pi)


def distribution(z: Array) -> Array:
    values: Array = (1 + erf(z / math.sqrt(2))) / 2
    return values


# phi and its derivative
ACTIVATIONS: dict[str, tuple[Function, Function]] = {
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0),
    "leaky-relu:0.2": (lambda z: np.where(z > 0, z, 0.2 * z), lambda z: np.where(z > 0, 1.0, 0.2)),
    "erf": (erf, lambda z: 2 / math.sqrt(math.pi) * np.exp(-z * z)),
    "gelu": (lambda z: z * distribution(z), lambda z: distribution(z) + z * normal(z)),
    "tanh": (np.tanh, lambda z: 1 / np.cosh(z) ** 2),
    "sigmoid": (sigmoid, lambda z: sigmoid(z) * sigmoid(-z)),
    "silu": (lambda z: z * sigmoid(z), lambda z: sigmoid(z) * (1 + z * sigmoid(-z))),
    "softplus": (lambda z: np.logaddexp(0, z), sigmoid),
    "sine": (np.sin, np.cos),
    "identity": (lambda z: z, np.ones_like),
}


@dataclass
class Layer:
    """z = c W a + s b."""

    w: Array
    b: Array | None
    c: float = 1.0
    s: float = 1.0
    rate_w: float = 1.0
    rate_b: float = 1.0


@dataclass
class Net:
    layers: list[Layer]
    activations: list[str]

    def passes(self, x: Array) -> tuple[list[Array], list[Array]]:
        """Inputs and pre-activations of every layer."""
        inputs, pre = [x], []
        for index, layer in enumerate(self.layers):
            z = layer.c * inputs[-1] @ layer.w.T
            if layer.b is not None:
                z = z + layer.s * layer.b
            pre.append(z)
            if index < len(self.activations):
                inputs.append(ACTIVATIONS[self.activations[index]][0](z))
        return inputs, pre

    def outputs(self, x: Array) -> Array:
        return self.passes(x)[1][-1]

    def jacobians(self, x: Array) -> list[Array]:
        """df/dW_0, df/db_0, ...: (n, C, numbers) each, times the root of its rate; no numbers where there is no bias."""
        inputs, pre = self.passes(x)
        n, outputs = pre[-1].shape
        d = np.broadcast_to(np.eye(outputs), (n, outputs, outputs))
        parts: list[Array] = []
        for index in reversed(range(len(self.layers))):
            layer = self.layers[index]
            weights = layer.c * d[:, :, :, None] * inputs[index][:, None, None, :]
            bias = np.zeros((n, outputs, 0)) if layer.b is None else layer.s * d * math.sqrt(layer.rate_b)
            parts = [weights.reshape(n, outputs, -1) * math.sqrt(layer.rate_w), bias, *parts]
            if index > 0:
                slope = ACTIVATIONS[self.activations[index - 1]][1](pre[index - 1])
                d = layer.c * (d @ layer.w) * slope[:, None, :]
        return parts

    def parts(self, x: Array, y: Array | None = None) -> Array:
        """(2 (L+1), n1 C, n2 C)."""
        left = self.jacobians(x)
        right = left if y is None else self.jacobians(y)

        def flat(j: Array) -> Array:
            return j.reshape(j.shape[0] * j.shape[1], j.shape[2])

        return np.stack([flat(a) @ flat(b).T for a, b in zip(left, right)])

    def kernel(self, x: Array, y: Array | None = None) -> Array:
        total: Array = self.parts(x, y).sum(0)
        return total

    def state_dict(self, dtype: type = np.float64) -> dict[str, Array]:
        state: dict[str, Array] = {}
        for index, layer in enumerate(self.layers):
            state[f"{2 * index}.weight"] = layer.w.astype(dtype)
            if layer.b is not None:
                state[f"{2 * index}.bias"] = layer.b.astype(dtype)
        return state


def random(seed: int) -> tuple[Net, Array, Array]:
    """A network of depth 1 to 5, unequal widths, 1 to 10 outputs, each activation in its turn; two sets of samples."""
    rng = np.random.default_rng(seed)
    names = list(ACTIVATIONS)
    depth, inputs, outputs = int(rng.integers(1, 6)), int(rng.integers(1, 9)), int(rng.integers(1, 11))
    widths = [int(width) for width in rng.choice(np.arange(2, 24), size=depth, replace=False)]
    activations = [names[(seed + k) % len(names)] for k in range(depth)]
    sizes = [inputs, *widths, outputs]
    biases = int(rng.integers(0, 3))
    layers = []
    for fan_in, fan_out in zip(sizes, sizes[1:]):
        bias = rng.normal(size=fan_out) if biases == 2 or (biases == 1 and rng.integers(0, 2)) else None
        layers.append(Layer(rng.normal(size=(fan_out, fan_in)) * math.sqrt(2 / fan_in), bias))
    x, y = rng.normal(size=(int(rng.integers(1, 9)), inputs)), rng.normal(size=(3, inputs))
    return Net(layers, activations), x, y


def apart(a: Array, b: Array) -> float:
    """Largest difference, in units of the largest entry."""
    assert a.shape == b.shape, (a.shape, b.shape)
    return float(np.abs(a - b).max() / np.abs(b).max())
