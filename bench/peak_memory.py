"""`python -m bench.peak_memory FILE URL` sends the file and prints the most memory that this process had, in bytes.

With `--forgetful` its counter of repeats knows only the rows that were read together, so that it does not grow.
"""

import os
import resource
import sys
from collections.abc import Mapping
from pathlib import Path
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from bench.sending import our_send
from client import reader
from client.columns import Column
from client.repeats import Repeats
from local_runtime.processes import peak_memory

FORGETFUL = "--forgetful"


class _Forgetful(Repeats):
    def number(self, columns: Mapping[str, Column]) -> NDArray[np.int64]:
        return Repeats().number(columns)


def peak_bytes() -> int:
    """Of this program. Linux's getrusage counts what its parent held at the moment of starting it, too."""
    return peak_memory(os.getpid()) or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    send = our_send(Path(sys.argv[1]), sys.argv[2])
    with patch.object(reader, "Repeats", _Forgetful if FORGETFUL in sys.argv else Repeats):
        send()
    sys.stdout.write(f"{peak_bytes()}\n")
