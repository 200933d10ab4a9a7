"""`python -m local_runtime.child PARENT MODULE [ARGUMENT …]`: run a module until it ends or its parent is gone.

A parent that is killed with SIGKILL cannot stop its children, so each child checks by itself. It then ends as after
SIGTERM: an engine that keeps its stores saves them.
"""

import os
import runpy
import signal
import sys
import threading
import time
from collections.abc import Sequence

_CHECK_SECONDS = 0.5
_LONGEST_END_SECONDS = 60.0
_EXIT_CODE = 1


def main(arguments: Sequence[str]) -> None:
    parent, module, *rest = arguments
    threading.Thread(target=_exit_with_parent, args=(int(parent),), daemon=True).start()
    sys.argv = [module, *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _exit_with_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_CHECK_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_LONGEST_END_SECONDS)
    os._exit(_EXIT_CODE)


if __name__ == "__main__":
    main(sys.argv[1:])
