"""The errors of a run. Each message is one sentence that a user can act on."""

from pathlib import Path


class RunError(Exception):
    """Shown without a traceback."""


class ProcessEnded(RunError):
    """A server process ended although nobody stopped it; `log_tail` holds the last lines of its log.

    `loss` says what is lost by that.
    """

    def __init__(self, name: str, exit_code: int, log: Path, log_tail: str) -> None:
        super().__init__(f"{name} ended unexpectedly with exit code {exit_code}; its log is {log}")
        self.name = name
        self.log_tail = log_tail
        self.loss = ""
