"""Tests find the reference beside them; a peer that needs versions of its own has its interpreter named."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


def pytest_addoption(parser: pytest.Parser) -> None:
    about = "interpreter with neural-tangents 0.6.5, jax and jaxlib 0.4.25, numpy 1.26 and scipy 1.12 (Python 3.11)"
    parser.addoption("--neural-tangents", metavar="PYTHON", default=None, help=about)
