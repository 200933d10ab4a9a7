"""`fails REASON` writes its reason to stderr and ends with 3."""

import sys

print(sys.argv[1], file=sys.stderr)  # noqa: T201 - its output is what a test reads
sys.exit(3)
