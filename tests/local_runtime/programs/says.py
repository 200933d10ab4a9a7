"""`says LINE …` writes each argument as a line. `stderr …` goes to stderr, and `exit code N` ends the program."""

import sys

for line in sys.argv[1:]:
    if line.startswith("exit code "):
        sys.exit(int(line.removeprefix("exit code ")))
    if line.startswith("stderr "):
        print(line.removeprefix("stderr "), file=sys.stderr)  # noqa: T201 - its output is what a test reads
    else:
        print(line, flush=True)  # noqa: T201 - its output is what a test reads
