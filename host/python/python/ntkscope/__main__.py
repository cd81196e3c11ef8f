"""The command line."""

import sys


def run() -> None:
    """Does what was typed, and ends the process with its exit code."""
    from . import _native

    sys.exit(_native.main(sys.executable, sys.argv[1:]))


if __name__ == "__main__":
    run()
