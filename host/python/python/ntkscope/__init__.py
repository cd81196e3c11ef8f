"""Exact neural tangent kernels of your own network: measured where you train it, with the numbers of the command line.

``from_torch``, ``from_state_dict``, ``from_flax``, ``from_stax``, ``load``, ``fcn`` and ``resnet`` give a ``Network``; ``ntk`` its kernel, ``kernel_fn``
that of the infinitely wide network, ``Recorder`` its drift along your own training. Neither torch nor jax is imported.
"""

from ._native import (
    VERSION as __version__,
    DataError,
    Distances,
    KernelFn,
    Layer,
    Network,
    NoLimit,
    NotFinite,
    Spectrum,
    UnsupportedLayer,
    compare,
    forecast,
    kernel_fn,
    load,
    ntk,
    ntk_product,
    spectrum,
)
from .flax import from_flax, from_stax
from .networks import fcn, from_state_dict, resnet
from .predictions import Prediction, predict
from .recorder import Recorder, Snapshot
from .runs import Claims, Run, reproduce, run
from .torch import from_torch

__all__ = [
    "Claims",
    "DataError",
    "Distances",
    "KernelFn",
    "Layer",
    "Network",
    "NoLimit",
    "NotFinite",
    "Prediction",
    "Recorder",
    "Run",
    "Snapshot",
    "Spectrum",
    "UnsupportedLayer",
    "__version__",
    "compare",
    "fcn",
    "forecast",
    "from_flax",
    "from_stax",
    "from_state_dict",
    "from_torch",
    "kernel_fn",
    "load",
    "ntk",
    "ntk_product",
    "predict",
    "reproduce",
    "resnet",
    "run",
    "spectrum",
]
