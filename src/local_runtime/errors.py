"""What can go wrong in a run, each said in one sentence that tells the user what to do."""

from pathlib import Path


class RunError(Exception):
    """Shown as it is, without a traceback."""


class ProcessEnded(RunError):
    """A process ended that should still be there; `log_tail` is the last that it wrote."""

    def __init__(self, name: str, exit_code: int, log: Path, log_tail: str) -> None:
        super().__init__(f"{name} ended by itself with exit code {exit_code}; its log is {log}")
        self.log_tail = log_tail
