"""`fails REASON` writes its argument to stderr and ends with exit code 3."""

import sys

print(sys.argv[1], file=sys.stderr)  # noqa: T201 - its output is what a test reads
sys.exit(3)
