"""The most memory that one program had."""

import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_ASK = "from bench.peak_memory import peak_bytes; print(peak_bytes())"


def peak_of_child() -> int:
    return int(subprocess.run([sys.executable, "-c", _ASK], cwd=_ROOT, check=True, capture_output=True).stdout)


def test_what_the_parent_holds_does_not_count() -> None:
    """A program is as large whoever starts it."""
    before = peak_of_child()
    held = bytearray(b"x") * 100_000_000
    assert peak_of_child() < before + len(held) // 4
