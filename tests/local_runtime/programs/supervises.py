"""`supervises LOG` starts one child, which inherits its stdout, and waits to be killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from local_runtime.processes import Command

command = Command("waits", "waits", Path(sys.argv[1]), os.environ)
with subprocess.Popen(command.line, start_new_session=True):
    signal.pause()
