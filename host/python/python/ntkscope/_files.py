"""Files that are whole or not there."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager

TYPE_CHECKING = False  # as of typing, which takes longer to import than all of this
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """A file to be written, which takes the place of ``path`` when it is whole; where writing fails, ``path`` is what it was."""
    place, name = os.path.abspath(path), None
    try:
        # made as open() makes one, under a name that the command line removes where a process that was killed has left it
        new = os.path.join(os.path.dirname(place), f".ntkscope-{secrets.token_hex(8)}.tmp")
        with open(new, "xb+") as file:
            name = new
            yield file
        os.replace(name, place)
    except BaseException as error:
        if name is not None:
            os.unlink(name)
        # of the temporary file, whose name says nothing
        if isinstance(error, OSError) and (error.filename is None or ".ntkscope-" in str(error.filename)):
            raise OSError(error.errno, error.strerror, os.fspath(path)) from None
        raise
