"""Everything that the code under test says in its logs during a seed."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


class Logs(logging.Handler):
    """Keeps each record as all the text that any formatter could make of it."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.texts: list[str] = []
        self._formatter = logging.Formatter()

    def emit(self, record: logging.LogRecord) -> None:
        extras = " ".join(str(value) for value in vars(record).values())
        self.texts.append(f"{self._formatter.format(record)} {extras}")


@contextmanager
def captured_logs() -> Iterator[Logs]:
    """From level INFO, which is what Lambda keeps; nothing else sees them meanwhile."""
    root, logs = logging.getLogger(), Logs()
    before, level = root.handlers[:], root.level
    root.handlers[:] = [logs]
    root.setLevel(logging.INFO)
    try:
        yield logs
    finally:
        root.handlers[:] = before
        root.setLevel(level)
