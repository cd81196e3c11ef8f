"""Arrays of other libraries as numpy's, without importing them."""

from __future__ import annotations

TYPE_CHECKING = False  # as of typing, which takes longer to import than all of this
if TYPE_CHECKING:
    from typing import Any


def as_numpy(name: str, array: Any) -> Any:
    """``array`` as numpy's, sharing memory where that is possible: tensors on the CPU do.

    Raises TypeError with ``name`` for a dtype that numpy does not have, as bfloat16, and for a masked array.
    """
    import numpy as np

    if isinstance(array, np.ma.MaskedArray):
        raise TypeError(f"{name}: masked array, whose mask would be lost; use {name}.filled(...)")
    if isinstance(array, np.ndarray):
        return np.ascontiguousarray(array) if not array.flags.c_contiguous else array
    if hasattr(array, "detach"):
        tensor = array.detach().cpu().contiguous()
        try:
            return tensor.numpy()
        except TypeError:
            kind = str(tensor.dtype).removeprefix("torch.")
            raise TypeError(f"{name}: {kind}; give float32 or float64, as model.float() makes it") from None
    return np.ascontiguousarray(np.asarray(array))


class Owners:
    """Which parameters have been given: an array that is given twice is one tensor of two layers."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, int], str] = {}

    def add(self, name: str, given: Any) -> None:
        """Raises ValueError where ``given``, as it was handed over, begins at the same place as one before."""
        if hasattr(given, "data_ptr"):
            place, size = ("memory", given.data_ptr()), given.numel()
        elif hasattr(given, "__array_interface__"):
            place, size = ("memory", given.__array_interface__["data"][0]), given.size
        else:
            place, size = ("object", id(given)), 1
        if size and self._names.setdefault(place, name) != name:
            raise ValueError(
                f"{self._names[place]} and {name} are one tensor: the kernel of tied weights has cross terms that its layers lack; "
                "give them copies to measure them as if they were apart"
            )


def whole(name: str, given: Any, least: int, needs: str) -> int:
    """``given`` as a whole number of ``least`` or more, below 2**63.

    Raises TypeError with ``name`` for what is none, ValueError for one that is out of range; ``needs`` says what to give.
    """
    import operator

    try:
        number = operator.index(given)
    except TypeError:
        raise TypeError(f"{name}: {given!r}; give {needs}") from None
    if not least <= number < 1 << 63:
        raise ValueError(f"{name}: {given!r}; give {needs}")
    return number


def items(name: str, given: Any, needs: str) -> Any:
    """The pairs of a mapping. Raises TypeError with ``name`` for what is none; ``needs`` says what to give."""
    if not hasattr(given, "items"):
        raise TypeError(f"{name}: {type(given).__name__}; give {needs}")
    return given.items()
