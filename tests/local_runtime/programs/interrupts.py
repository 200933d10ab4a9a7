"""While it is being stopped, it sends another Ctrl-C, as an impatient user does."""

import os
import signal
import sys
from types import FrameType


def stop(_number: int, _frame: FrameType | None) -> None:
    os.kill(os.getppid(), signal.SIGINT)
    sys.exit(0)


signal.signal(signal.SIGTERM, stop)
print("ready", flush=True)  # noqa: T201 - its output is what a test reads
while True:
    signal.pause()
