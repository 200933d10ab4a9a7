"""`python -m local_runtime.child PARENT MODULE [ARGUMENT …]`: a module, run as long as its parent lives.

A parent that is killed outright can stop nobody. So the child looks for itself.
"""

import os
import runpy
import sys
import threading
import time
from collections.abc import Sequence

_LOOK_SECONDS = 0.5
_EXIT_CODE = 1


def main(arguments: Sequence[str]) -> None:
    parent, module, *rest = arguments
    threading.Thread(target=_end_with, args=(int(parent),), daemon=True).start()
    sys.argv = [module, *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    os._exit(_EXIT_CODE)


if __name__ == "__main__":
    main(sys.argv[1:])
