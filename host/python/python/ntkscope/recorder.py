"""The kernel of a network along somebody's own training."""

from __future__ import annotations

import os

from ._arrays import as_numpy, whole
from ._files import replacing
from ._native import Network, Watcher
from .networks import from_state_dict
from .predictions import Goal
from .torch import check_outputs, from_torch

TYPE_CHECKING = False  # as of typing, which takes longer to import than all of this
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    import numpy as np
    from numpy.typing import NDArray

# a snapshot at every step up to this, then at steps that grow by this factor
_FIRST, _GROWTH = 4, 1.25


class Snapshot(dict[str, float]):
    """The numbers of one moment, under the names of the program's ``trace.csv``; also as attributes."""

    def __getattr__(self, name: str) -> float:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __repr__(self) -> str:
        return f"Snapshot(step={self['step']}, drift_max={self['drift_max']:.6g}, drift_fro={self['drift_fro']:.4g})"

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><th>{name}</th><td>{value:.6g}</td></tr>" for name, value in self.items() if value == value)
        return f"<table>{rows}</table>"


class Recorder:
    """Records how far the kernel of a network has moved while you train it.

    ``x`` ``(n, d)``: the samples it is measured on, float32 or float64 as the network. ``y``: their labels ``(n,)`` as integers, or numbers; with
    them there are loss, margins and ``target_alignment``. ``loss``: mse or cross-entropy, of which the mean is trained; ``rate``: of
    your descent; under squared error ``stability`` is then ``rate lambda_max/(2 n)``, stable below 1. ``every``: "log", a snapshot at
    steps that grow by a quarter, a number of steps, or a function of the step. ``outputs``: as for ``ntk``. ``capacity``: most kernels that are
    kept; when they are as many, every other one goes. ``activation``, ``order``: of mappings of parameters, as for ``from_state_dict``.

    Call it with the step after, or before, your own: nothing but the parameters is read, and only when a snapshot is due. A module is
    called once, the first time, to see that it computes what is measured. Neither mode, gradients nor random state change, and the
    model is not kept alive. Raises NotFinite where a parameter has become nan or infinite.

    >>> import numpy as np, ntkscope as ns
    >>> x, w = np.eye(2), np.ones((1, 2))
    >>> rec = ns.Recorder(x)
    >>> for step in range(10):
    ...     snapshot = rec({"0.weight": w + step, "2.weight": np.ones((1, 1))}, step)
    >>> rec.columns["step"]
    array([0., 1., 2., 3., 4., 5., 6., 7., 8.])
    """

    def __init__(
        self,
        x: Any,
        y: Any = None,
        *,
        loss: str | None = None,
        rate: float | None = None,
        every: str | int | Callable[[int], bool] = "log",
        outputs: str | int = "trace",
        capacity: int = 64,
        activation: str | Sequence[str] = "relu",
        order: Sequence[str] | None = None,
        threads: int | None = None,
    ) -> None:
        import numpy as np

        x = as_numpy("x", x)
        # a copy: what the caller does to the samples later is not measured
        self._x: Any = np.array(x.reshape(len(x), -1) if x.ndim > 2 else x, order="C")
        if loss is not None and y is None:
            raise ValueError(f"loss: {loss!r}, but there is no y, whose loss it is; give y, or leave loss out")
        if rate is not None and not (0 < rate < float("inf")):
            raise ValueError(f"rate: {rate!r}; give the learning rate, a finite number above 0, or leave it out")
        self._y: Any = None if y is None else np.array(as_numpy("y", y))
        self._loss, self._rate = loss, rate
        if isinstance(every, str):
            if every != "log":
                raise ValueError(f"every: {every!r}; give 'log', a number of steps, or a function of the step")
        elif not callable(every):
            every = whole("every", every, 1, "'log', a number of steps, or a function of the step")
        capacity = whole("capacity", capacity, 2, "2 or more: the first kernel and the last are kept")
        self._every, self._outputs, self._capacity = every, outputs, capacity
        self._activation, self._order, self._threads = activation, order, threads
        self._watcher: Watcher | None = None
        self._snapshots: list[Snapshot] = []
        self._kernels: list[Any] = []
        self._kernel_steps: list[int] = []
        self._spacing, self._next = 1, 0
        self._checked = False

    def __call__(self, model: Any, step: int, time: float | None = None) -> Snapshot | None:
        """The snapshot of ``model`` at ``step``, or None where none is due.

        ``model``: a module as for ``from_torch``, a mapping as for ``from_state_dict``, or a ``Network``. ``time``: of gradient flow on the mean loss;
        left out it is ``rate`` times the step, or the step itself.
        """
        step = whole("step", step, 0, "the number of the step, 0 or more")
        if time is not None and not (-float("inf") < time < float("inf")):
            raise ValueError(f"time: {time!r}; give a finite number, or leave it out")
        if not self._due(step):
            return None
        net = self._network(model)
        if net.dtype != self._x.dtype:
            raise TypeError(f"the network is {net.dtype}, but x is {self._x.dtype}; give the Recorder x.astype({str(net.dtype)!r})")
        watcher = self._watcher
        if watcher is None:
            goal = None if self._y is None else Goal(self._y, net.outputs).wanted()
            watcher = Watcher(self._x, goal, self._loss, self._rate, self._outputs, net.outputs)
        passed = time if time is not None else step * (self._rate or 1.0)
        snapshot = Snapshot(watcher.observe(net, step, passed, self._threads))
        # of a call that was refused nothing is left
        self._watcher = watcher
        self._snapshots.append(snapshot)
        self._keep(step)
        self._next = max(step + 1, int(step * _GROWTH)) if step >= _FIRST else step + 1
        return snapshot

    def _due(self, step: int) -> bool:
        if not self._snapshots:
            return True
        if callable(self._every):
            return bool(self._every(step))
        if isinstance(self._every, int):
            return step % self._every == 0
        return step >= self._next

    def _network(self, model: Any) -> Network:
        if isinstance(model, Network):
            return model
        if hasattr(model, "named_children"):
            net = from_torch(model)
            if not self._checked:
                check_outputs(model, net, self._x)
                self._checked = True
            return net
        return from_state_dict(model, self._activation, order=self._order)

    def _keep(self, step: int) -> None:
        """The kernel of the first snapshot, and every k-th of the others, k doubling when there are too many."""
        assert self._watcher is not None
        if (len(self._snapshots) - 1) % self._spacing:
            return
        if len(self._kernels) == self._capacity:
            self._kernels, self._kernel_steps = self._kernels[::2], self._kernel_steps[::2]
            self._spacing *= 2
            if (len(self._snapshots) - 1) % self._spacing:
                return
        self._kernels.append(self._watcher.kernel())
        self._kernel_steps.append(step)

    @property
    def columns(self) -> dict[str, NDArray[np.float64]]:
        """What was measured, a number for each snapshot, under the names of ``trace.csv``; ``ntkscope columns`` describes them."""
        import numpy as np

        names = [] if self._watcher is None else self._watcher.measured()
        return {name: np.array([float(snapshot[name]) for snapshot in self._snapshots]) for name in names}

    @property
    def snapshots(self) -> list[Snapshot]:
        """All of them, in order."""
        return list(self._snapshots)

    @property
    def kernels(self) -> list[NDArray[np.floating[Any]]]:
        """Kernels that are kept, the first that of the first call."""
        return list(self._kernels)

    @property
    def kernel_steps(self) -> list[int]:
        """Steps of ``kernels``."""
        return list(self._kernel_steps)

    def save(self, directory: str | os.PathLike[str]) -> None:
        """Writes ``trace.csv``, as the program's runs have it, and ``kernels.npz`` (arrays ``step`` and ``kernels`` ``(k, n, n)``) to a directory."""
        import numpy as np

        watcher = self._seen()
        os.makedirs(directory, exist_ok=True)
        watcher.write_trace(os.path.join(directory, "trace.csv"))
        steps, kernels = np.array(self._kernel_steps), np.stack(self._kernels)
        with replacing(os.path.join(directory, "kernels.npz")) as file:
            np.savez(file, step=steps, kernels=kernels, x=self._x)

    def report(self, path: str | os.PathLike[str]) -> None:
        """Writes a page with the figures of drift, loss, eigenvalues and margins, that needs nothing but itself."""
        last = self._snapshots[-1] if self._snapshots else None
        watcher = self._seen()
        assert last is not None
        lead = (
            f"After {last['step']} steps the kernel has drifted by max|K_{{t}} − K_{{0}}| = {last['drift_max']:.4g}, "
            f"{100 * last['drift_fro']:.4g} % of its norm; its alignment with the first is {last['alignment']:.4f}."
        )
        watcher.write_report(path, "Drift of the neural tangent kernel", lead)

    def _seen(self) -> Watcher:
        if self._watcher is None:
            raise ValueError("nothing was recorded yet; call the recorder with the model and the step")
        return self._watcher

    def __repr__(self) -> str:
        return f"Recorder({len(self._x)} samples, {len(self._snapshots)} snapshots)"
