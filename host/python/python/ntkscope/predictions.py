"""What kernels that stay fixed predict."""

from __future__ import annotations

import math

from ._arrays import as_numpy
from ._native import KernelFn, Network, _accuracy, _predict

TYPE_CHECKING = False  # as of typing, which takes longer to import than all of this
if TYPE_CHECKING:
    from typing import Any

    import numpy as np
    from numpy.typing import NDArray


class Goal:
    """What ``y`` asks for: the classes of integers, or numbers to fit.

    ``outputs``: C of the network, where it is known; labels are then 0 to C-1, or any two for one output.
    """

    def __init__(self, y: Any, outputs: int | None = None) -> None:
        import numpy as np

        y = as_numpy("y", y)
        self.classes: list[Any] | None = None
        if y.dtype.kind in "iub" and y.ndim == 1:
            found = np.unique(y).tolist()
            if outputs is not None and outputs > 1:
                if found and not (0 <= found[0] and found[-1] < outputs):
                    raise ValueError(f"y: labels from {found[0]} to {found[-1]}, but {outputs} outputs stand for 0 to {outputs - 1}")
                found = list(range(outputs))
            elif outputs == 1 and len(found) > 2:
                raise ValueError(f"y: {len(found)} classes, but the network has one output")
            if len(found) < 2:
                raise ValueError(f"y: {len(found)} class; give labels of two at least, or real numbers to fit")
            self.classes = found
        elif y.dtype.kind != "f":
            raise TypeError(f"y: {y.dtype}, shape {y.shape}; give labels (n,) as integers, or numbers (n,) or (n, C) as floats")
        self.values = y
        self.outputs = (
            (1 if len(self.classes) == 2 and outputs != 2 else len(self.classes))
            if self.classes is not None
            else (1 if y.ndim == 1 else y.shape[1])
        )

    def wanted(self, y: Any = None) -> Any:
        """Labels and C, or numbers ``(n, C)``, of ``y`` or of the samples that this was made of."""
        import numpy as np

        values = self.values if y is None else as_numpy("y", y)
        if self.classes is None:
            return np.ascontiguousarray(values.reshape(len(values), -1))
        places = {label: place for place, label in enumerate(self.classes)}
        missing = [label for label in values.tolist() if label not in places]
        if missing:
            raise ValueError(f"y: label {missing[0]} is none of the classes {self.classes}")
        return [places[label] for label in values.tolist()], self.outputs


class Prediction:
    """Outputs on test points that a fixed kernel predicts. Made by ``predict``.

    ``mean`` ``(m, C)``: the mean over initializations, or the outputs of the linearized network; ``deviation`` ``(m, C)``: the standard
    deviation over initializations, 0 of a linearized network; under softmax that of the logits less their mean over the classes.
    """

    __slots__ = ("mean", "deviation", "_goal", "_loss")

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    def __init__(self, mean: Any, deviation: Any, goal: Goal, loss: str) -> None:
        self.mean, self.deviation, self._goal, self._loss = mean, deviation, goal, loss

    def accuracy(self, y_test: Any) -> float:
        """Share of the test points whose mean output says the class ``y_test`` ``(m,)``; a tie counts as wrong."""
        if self._goal.classes is None:
            raise ValueError("y was real numbers, which have no classes; compare them with mean")
        if len(y_test) != len(self.mean):
            raise ValueError(f"y_test: {len(y_test)} labels, but {len(self.mean)} points were predicted")
        return _accuracy(self.mean, self._goal.wanted(y_test), self._loss)

    def __repr__(self) -> str:
        points, outputs = self.mean.shape
        return f"Prediction({points} points, {outputs} outputs, {self._loss})"


def predict(
    kernel: KernelFn | Network,
    x: Any,
    y: Any,
    x_test: Any,
    *,
    loss: str = "mse",
    penalty: float = 0.0,
    time: float = math.inf,
    threads: int | None = None,
    memory: int | str | None = None,
    progress: Any = None,
) -> Prediction:
    """What gradient flow under a kernel that stays fixed makes of the test points ``x_test`` ``(m, d)``, trained on ``x`` ``(n, d)``.

    ``kernel``: of ``kernel_fn``, the network of infinite width, with its law over initializations; or a ``Network``, which is linearized
    at its parameters. ``y``: labels ``(n,)``, integers, or numbers ``(n,)`` or ``(n, C)``, which "mse" fits. ``loss``: mse, cross-entropy,
    exponential; their mean over the samples is trained, to ``time`` of its flow, with ``penalty/2`` times the square of the distance from
    the start. The law of infinite width is known at a finite ``time`` for "mse" without a penalty alone. Computed in double precision. Raises
    ValueError where there is no finite solution.

    >>> import numpy as np, ntkscope as ns
    >>> x, y = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([3, 8])
    >>> ns.predict(ns.kernel_fn(depth=2), x, y, x).accuracy(y)
    1.0
    """
    outputs = int(kernel.outputs) if isinstance(kernel, Network) else None
    goal = Goal(y, outputs)
    mean, deviation = _predict(
        kernel, as_numpy("x", x), goal.wanted(), as_numpy("x_test", x_test), loss, penalty, time, threads, memory, progress
    )
    return Prediction(mean, deviation, goal, loss)
