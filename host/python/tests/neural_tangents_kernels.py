"""Kernels of neural-tangents for test_neural_tangents.py, in double precision: run by an interpreter that has it, writes one npz."""

import sys
from pathlib import Path
from typing import Any

import jax

jax.config.update("jax_enable_x64", True)

import neural_tangents as nt  # noqa: E402
import numpy as np  # noqa: E402
from neural_tangents import stax  # noqa: E402
from reference import B_STD, SHARED, W_STD  # noqa: E402

PHI = {
    "relu": stax.Relu(),
    "leaky-relu:0.3": stax.LeakyRelu(0.3),
    "erf": stax.Erf(),
    "gelu": stax.Gelu(),
    "sine": stax.Sin(),
    "identity": stax.Identity(),
}
WIDTHS, OUTPUTS = (7, 11, 5, 6), 3


def main(out: Path) -> None:
    random = np.random.default_rng(0)
    x1, x2 = random.normal(size=(6, 4)), random.normal(size=(3, 4))
    found: dict[str, Any] = {"x1": x1, "x2": x2}
    for number, names in enumerate(SHARED):
        for bias in (False, True):
            for parameterization in ("ntk", "standard"):
                b_std = B_STD if bias else None
                scales = {"W_std": W_STD, "b_std": b_std, "parameterization": parameterization}
                layers = []
                for name, width in zip(names, WIDTHS):
                    layers += [stax.Dense(width, **scales), PHI[name]]
                init, apply, kernel_fn = stax.serial(*layers, stax.Dense(OUTPUTS, **scales))
                key = f"{number} {bias} {parameterization}"
                if parameterization == "ntk":
                    found[f"{key} nngp"], found[f"{key} limit"] = kernel_fn(x1, x2, ("nngp", "ntk"))
                    found[f"{key} own"] = kernel_fn(x1, None, "ntk")
                _, params = init(jax.random.PRNGKey(number), (-1, 4))
                empirical = nt.empirical_ntk_fn(apply, trace_axes=(), vmap_axes=0)(x1, x2, params)
                found[f"{key} empirical"] = np.asarray(empirical).transpose(0, 2, 1, 3).reshape(18, 9)
                found[f"{key} outputs"] = apply(params, x1)
                for index, pair in enumerate(pair for pair in params if len(pair) > 0):
                    w, b = pair if isinstance(pair, tuple) else (pair, None)
                    found[f"{key} w{index}"] = w
                    if b is not None:
                        found[f"{key} b{index}"] = b
    np.savez(out, **{name: np.asarray(array) for name, array in found.items()})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
