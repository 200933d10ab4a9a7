"""`python -m bench.peak_memory FILE URL` sends the file and prints the most memory that this process had, in bytes."""

import resource
import sys
from pathlib import Path

from bench.sending import our_send

if __name__ == "__main__":
    our_send(Path(sys.argv[1]), sys.argv[2])()
    sys.stdout.write(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}\n")
