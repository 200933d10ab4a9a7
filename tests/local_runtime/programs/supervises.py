"""A supervisor with one child that shares its stdout, waiting to be killed: `supervises LOG`."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from local_runtime.processes import Command

command = Command("waits", "waits", Path(sys.argv[1]), os.environ)
with subprocess.Popen(command.line, start_new_session=True):
    signal.pause()
