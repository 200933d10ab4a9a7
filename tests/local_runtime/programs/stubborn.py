"""It ignores SIGTERM."""

import signal

signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)  # noqa: T201 - its output is what a test reads
while True:
    signal.pause()
