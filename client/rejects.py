"""The rejects CSV: each row that was not taken, why, and the row as it was."""

import csv
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from client.errors import BadInput, CannotWrite
from client.records import read_fields

_OWN_COLUMNS = ("line", "field", "reason")
_RAW_COLUMN = "row"


def default_rejects_path(file: Path) -> Path:
    """`rows.csv.gz` has its rejects in `rows.rejects.csv` of the current directory: the file's own may be read-only."""
    return Path(file.name.removesuffix(".gz").removesuffix(".csv") + ".rejects.csv")


class Rejects:
    """Writes `line`, `field`, `reason` and the row's fields; `row` has the text of a row whose fields cannot be told.

    The file is made by the first row that is rejected, and the one of an earlier upload is removed.
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        """Raises BadInput where another file of this name would be lost, and CannotWrite."""
        _remove_older(path)
        self._path = path
        self._columns = columns
        self._file: TextIO | None = None

    @property
    def path(self) -> Path | None:
        """The file, if there was anything to write."""
        return self._path if self._file else None

    def add(self, line: int, field: str, reason: str, text: bytes) -> None:
        """Raises CannotWrite: a reject that is not kept would be lost."""
        with _writable():
            file = self._file = self._file or self._created()
            csv.writer(file, lineterminator="\n").writerow((line, field, reason, *self._as_it_was(text)))

    def _as_it_was(self, text: bytes) -> list[str]:
        fields = read_fields(text)
        if fields is not None and len(fields) == len(self._columns):
            return [*fields, ""]
        return [*("" for _ in self._columns), text.decode(errors="replace")]

    def close(self) -> None:
        """All rejects are on disk then; raises CannotWrite."""
        if self._file:
            with _writable(), self._file as file:
                file.flush()
                os.fsync(file.fileno())

    def _created(self) -> TextIO:
        file = self._path.open("w", encoding="utf-8", newline="")
        csv.writer(file, lineterminator="\n").writerow((*_OWN_COLUMNS, *self._columns, _RAW_COLUMN))
        return file


def _remove_older(path: Path) -> None:
    """Only what this program wrote: its rows are not this upload's."""
    if not path.exists():
        return
    with _writable():
        own = f"{','.join(_OWN_COLUMNS)},".encode()
        with path.open("rb") as file:
            is_own = own.startswith(file.read(len(own)))  # one that was killed may have written less
        if not is_own:
            raise BadInput(f"{path} is no file of rejects and would be overwritten; name another with --rejects.")
        path.unlink()


@contextmanager
def _writable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CannotWrite(f"The rejects cannot be written: {error.strerror or type(error).__name__}.") from error


def check_rejects_path(path: Path, source: Path) -> None:
    """Raises BadInput where rejects could not be written, or would overwrite the file that is sent."""
    with suppress(OSError):
        if path.samefile(source):
            raise BadInput("The rejects would overwrite the file that is sent; name another file with --rejects.")
    writable = os.access(path if path.exists() else path.parent, os.W_OK)
    if not writable or path.is_dir():
        raise BadInput(f"The rejects cannot be written to {path}; name another file with --rejects.")
