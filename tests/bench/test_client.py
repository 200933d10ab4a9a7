"""The most memory that one program had."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

_ROOT = Path(__file__).parents[2]
_PRINT_PEAK = "from bench.client import peak_bytes; print(peak_bytes())"


def peak_of_child() -> int:
    return int(subprocess.run([sys.executable, "-c", _PRINT_PEAK], cwd=_ROOT, check=True, capture_output=True).stdout)


def test_the_memory_of_the_parent_does_not_count() -> None:
    """A program has the same peak, whatever process starts it."""
    before = peak_of_child()
    held = bytearray(b"x") * 100_000_000
    assert peak_of_child() < before + len(held) // 4
