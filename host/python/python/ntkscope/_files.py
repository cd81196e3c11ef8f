"""Files that are whole or not there."""

from __future__ import annotations

import os
import tempfile
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
        # the name is one that the command line removes where a process that was killed has left it
        file = tempfile.NamedTemporaryFile(dir=os.path.dirname(place), prefix=".ntkscope-", suffix=".tmp", delete=False)
        name = file.name
        with file:
            yield file
        # as open() would have made it
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)
        os.replace(name, place)
    except BaseException as error:
        if name is not None:
            os.unlink(name)
        # of the temporary file, whose name says nothing
        if isinstance(error, OSError) and (error.filename is None or ".ntkscope-" in str(error.filename)):
            raise OSError(error.errno, error.strerror, os.fspath(path)) from None
        raise
