"""Runs and studies of the command line, whose numbers they have bit for bit: it does them, in a process of its own."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings

from ._arrays import items
from ._files import replacing

TYPE_CHECKING = False  # as of typing, which takes longer to import than all of this
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    import numpy as np
    from numpy.typing import NDArray

    from ._native import Network


def _command(arguments: Sequence[str], quiet: bool, record: str, made: str | None = None) -> None:
    """Calls the command line. It may end with 1, for training or a claim that failed: there is a warning where that has left its ``record``. Its
    other errors are raised: wrong settings as ValueError, data as DataError. ``made``: a file of settings that the user does not know.
    """
    from ._native import DataError

    command = [sys.executable, "-m", "ntkscope", *arguments, *(["--quiet"] if quiet else [])]
    # found where this process has found it
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment
    )
    assert process.stderr is not None
    said = ""
    try:
        with process.stderr as lines:
            for line in lines:
                said = line
                if not quiet:
                    sys.stderr.write(line)
        code = process.wait()
    except BaseException:
        # it has been interrupted too where that came from a terminal; it keeps what is finished
        process.terminate()
        process.wait()
        raise
    if code == 0:
        return
    text = _in_keywords(said.removeprefix("error: ").strip())
    text = text if made is None else text.replace(made, "settings")
    if code == 1 and os.path.exists(record):
        warnings.warn(text or f"ntkscope {arguments[0]} ended with code 1", RuntimeWarning, stacklevel=3)
        return
    kinds: dict[int, type[Exception]] = {2: ValueError, 3: DataError, 4: OSError}
    if code in (130, -2):
        raise KeyboardInterrupt
    raise kinds.get(code, RuntimeError)(text or f"ntkscope {arguments[0]} ended with code {code}")


def _in_keywords(text: str) -> str:
    """A message whose flags are the keywords that Python has for them: ``--until-time 3`` is ``until_time=3``."""

    def keyword(flag: re.Match[str]) -> str:
        name = flag[1].replace("-", "_")
        return name if flag[2] is None else f"{name}={flag[2]}"

    # a value begins as no word of a sentence does
    return re.sub(r"(?<![\w-])--([a-z][a-z0-9-]*)(?: (-?[A-Z0-9./~\"][^\s,;:]*))?", keyword, text)


def _text(value: Any) -> str:
    """A value as a settings file has it: numpy's numbers and arrays are those of Python."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_text(item) for item in value) + "]"
    # what json escapes, toml reads, but for pairs of surrogates; the character 127 is escaped in toml alone
    text = os.fspath(value) if isinstance(value, os.PathLike) else str(value)
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _placed(key: str, value: Any) -> Any:
    """A path as an absolute one: in a settings file it would be relative to that file's directory."""
    is_path = isinstance(value, os.PathLike) or isinstance(value, str) and (key == "data-dir" or os.sep in value or "." in value)
    return os.path.abspath(os.fspath(value)) if key in ("data", "data-dir", "profile") and is_path else value


class Run:
    """What one run of the program has left. Made by ``run``."""

    def __init__(self, directory: str, keeps: tempfile.TemporaryDirectory[str] | None) -> None:
        self._directory, self._keeps = directory, keeps

    @property
    def directory(self) -> str:
        """Where its files lie; they go with this object where no ``out`` was given."""
        return self._directory

    @property
    def trace(self) -> dict[str, NDArray[np.float64]]:
        """Columns of ``trace.csv``, a number for each snapshot; nan where nothing was measured."""
        import numpy as np

        with open(os.path.join(self._directory, "trace.csv"), newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))

        def number(text: str) -> float:
            return {"": np.nan, "true": 1.0, "false": 0.0}.get(text) if text in ("", "true", "false") else float(text)  # type: ignore[return-value]

        return {name: np.array([number(row[name]) for row in rows]) for name in (rows[0] if rows else {})}

    @property
    def kernels(self) -> dict[str, NDArray[np.float64]]:
        """Arrays of ``kernels.npz``: analytic, initial, final ``(n, n)``, the samples, …"""
        return self._arrays("kernels.npz")

    @property
    def network(self) -> Network:
        """The network at the end, to be measured further; of a shifted one that whose outputs at the start were not taken off."""
        from ._native import load

        return load(os.path.join(self._directory, "params.npz"))

    @property
    def params(self) -> dict[str, NDArray[np.float64]]:
        """Parameters at the end, as arrays; what else makes the network is in ``network``."""
        arrays = self._arrays("params.npz")
        arrays.pop("settings", None)
        return arrays

    def _arrays(self, name: str) -> dict[str, NDArray[np.float64]]:
        import numpy as np

        with np.load(os.path.join(self._directory, name)) as archive:
            return {key: archive[key] for key in archive.files}

    def report(self, path: str | os.PathLike[str]) -> None:
        """Copies the page ``report.html`` to ``path``."""
        with open(os.path.join(self._directory, "report.html"), "rb") as page, replacing(path) as file:
            shutil.copyfileobj(page, file)

    def __repr__(self) -> str:
        return f"Run({self._directory})"


def run(
    settings: Mapping[str, Any] | str | os.PathLike[str],
    *,
    out: str | os.PathLike[str] | None = None,
    threads: int | None = None,
    memory: str | int | None = None,
    force: bool = False,
    progress: bool = False,
) -> Run:
    """Trains one network and records its kernel: ``ntkscope run``.

    ``settings``: keys of ``run.toml``, with underscores or hyphens, or the path of such a file. ``data`` may be a pair of arrays ``(x, y)``. ``loss`` is
    "mse" or "cross-entropy", not "both". ``out``: a directory for all its files, which must be empty unless ``force=True`` replaces what a run
    has left there. ``progress=True`` shows what the program says. Raises ValueError for wrong settings, DataError for wrong data;
    training that failed is a RuntimeWarning, with what the program says of it, and its record.

    >>> import numpy as np, ntkscope as ns
    >>> r = ns.run({"width": 8, "loss": "mse", "until_time": 1.0})
    >>> float(r.trace["drift_max"][0])
    0.0
    >>> np.allclose(ns.ntk(r.network, r.kernels["x"]), r.kernels["final"])
    True
    """
    keeps = None
    if out is None:
        keeps = tempfile.TemporaryDirectory(prefix="ntkscope-")
        out = os.path.join(keeps.name, "run")
    # whatever the current directory is later
    out = os.path.abspath(out)
    with tempfile.TemporaryDirectory(prefix="ntkscope-") as scratch:
        if isinstance(settings, (str, os.PathLike)):
            file = os.fspath(settings)
            os.stat(file)  # what is not there is told by the system's own exception
        else:
            from ._native import _scalar

            given: dict[str, Any] = {}
            for name, value in items("settings", settings, "a mapping of the keys of run.toml, or the path of such a file"):
                key = str(name).replace("_", "-")
                if key in given:
                    raise ValueError(f"settings: {key} is given twice, with underscores and with hyphens; leave one of them out")
                if value is not None:
                    given[key] = _scalar(value) if key == "dtype" else _placed(key, value)
            if given.get("loss", "both") == "both" or given.get("optimizer") == "both":
                raise ValueError("loss: a Run is of one loss and one optimizer; give loss='mse' or loss='cross-entropy'")
            data = given.get("data")
            if isinstance(data, (tuple, list)):
                if len(data) != 2:
                    raise ValueError(f"data: {len(data)} arrays; give the pair (x, y), or the name of a data set or a file")
                import numpy as np

                place = os.path.join(scratch, "data.npz")
                np.savez(place, x=data[0], y=data[1])
                given["data"] = place
            file = os.path.join(scratch, "settings.toml")
            with open(file, "w", encoding="utf-8") as text:
                text.writelines(f"{json.dumps(key)} = {_text(value)}\n" for key, value in given.items())
        options = ["--out", os.fspath(out), *_machine(threads, memory), *(["--force"] if force else [])]
        _command(["run", file, *options], not progress, os.path.join(out, "run.toml"), file if file.startswith(scratch) else None)
    return Run(os.fspath(out), keeps)


def _machine(threads: int | None, memory: str | int | None) -> list[str]:
    options = [] if threads is None else ["--threads", str(threads)]
    return options + ([] if memory is None else ["--memory", str(memory)])


class Claims:
    """Claims of a study and what was found of them. Made by ``reproduce``."""

    def __init__(self, directory: str, rows: list[dict[str, str]]) -> None:
        self.directory, self.rows = directory, rows

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        counts: dict[str, int] = {}
        for row in self.rows:
            verdict = row.get("verdict", "")
            counts[verdict] = counts.get(verdict, 0) + 1
        told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))
        return f"Claims({len(self.rows)}: {told})"


def reproduce(
    study: str,
    *,
    only: str | Sequence[str] | None = None,
    out: str | os.PathLike[str],
    progress: bool = False,
    **options: Any,
) -> Claims:
    """Reproduces a paper's study: ``ntkscope reproduce``, whose options are keywords here (``seeds=2``, ``full=True``).

    ``study``: divergence, lazy, initialization, or probability. ``out``: directory for its runs and its page; finished runs there are kept.
    ``rows`` of the result are those of ``claims.csv``. A claim that fails is no error.
    """
    out = os.path.abspath(out)
    arguments = ["reproduce", study, "--out", out]
    if only is not None:
        arguments += ["--only", only if isinstance(only, str) else ",".join(only)]
    for name, value in options.items():
        value = value.tolist() if hasattr(value, "tolist") else value
        flag = "--" + name.replace("_", "-")
        if value is True:
            arguments.append(flag)
        elif value is not None and value is not False:
            listed = ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
            arguments += [flag, listed]
    claims = os.path.join(out, "claims.csv")
    with warnings.catch_warnings():
        # a claim that fails is a result
        warnings.simplefilter("ignore", RuntimeWarning)
        _command(arguments, not progress, claims)
    with open(claims, newline="", encoding="utf-8") as file:
        return Claims(out, list(csv.DictReader(file)))
