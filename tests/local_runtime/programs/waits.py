"""`waits NAME FILE` writes a line, waits until it is stopped, and then writes its name into the file."""

import signal
import sys
from pathlib import Path
from types import FrameType


def stop(_number: int, _frame: FrameType | None) -> None:
    if sys.argv[1:]:
        name, order = sys.argv[1:]
        with Path(order).open("a") as file:
            file.write(f"{name}\n")
    sys.exit(0)


signal.signal(signal.SIGTERM, stop)
print("ready", flush=True)  # noqa: T201 - its output is what a test reads
while True:
    signal.pause()
