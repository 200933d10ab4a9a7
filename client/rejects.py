"""The rejects CSV: each row that was rejected, why, and the row as it was in the file."""

import csv
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from client.errors import BadInput, CannotWrite
from client.records import read_fields

_ADDED_COLUMNS = ("line", "field", "reason")
_RAW_COLUMN = "row"


def default_rejects_path(file: Path) -> Path:
    """For `rows.csv.gz`, `rows.rejects.csv` in the current directory: the file's own directory may be read-only."""
    return Path(file.name.removesuffix(".gz").removesuffix(".csv") + ".rejects.csv")


def check_rejects_path(path: Path, source: Path) -> None:
    """Raises BadInput where rejects could not be written, or would overwrite the file that is sent."""
    with suppress(OSError):
        if path.samefile(source):
            raise BadInput("The rejects would overwrite the file that is sent. Name another file with --rejects.")
    is_writable = os.access(path if path.exists() else path.parent, os.W_OK)
    if not is_writable or path.is_dir():
        raise BadInput(f"The rejects cannot be written to {path}. Name another file with --rejects.")


class Rejects:
    """Writes `line`, `field`, `reason` and the fields of the row; `row` has the text of a row without clear fields.

    The first rejected row creates the file. The constructor removes the file of an earlier upload, and raises BadInput
    where `path` is another file, which would be lost.
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        _remove_older(path)
        self._path = path
        self._columns = columns
        self._file: TextIO | None = None

    @property
    def path(self) -> Path | None:
        """The file; None if no row was rejected."""
        return self._path if self._file else None

    def add(self, line: int, field: str, reason: str, text: bytes) -> None:
        """Raises CannotWrite: a reject that is not kept would be lost."""
        with _translate_errors():
            file = self._file = self._file or self._create()
            csv.writer(file, lineterminator="\n").writerow((line, field, reason, *self._fields(text)))

    def close(self) -> None:
        """Return when all rejects are on disk. Raises CannotWrite."""
        if self._file:
            with _translate_errors(), self._file as file:
                file.flush()
                os.fsync(file.fileno())

    def _create(self) -> TextIO:
        file = self._path.open("w", encoding="utf-8", newline="")
        csv.writer(file, lineterminator="\n").writerow((*_ADDED_COLUMNS, *self._columns, _RAW_COLUMN))
        return file

    def _fields(self, text: bytes) -> list[str]:
        fields = read_fields(text)
        if fields is not None and len(fields) == len(self._columns):
            return [*fields, ""]
        return [*("" for _ in self._columns), text.decode(errors="replace")]


def _remove_older(path: Path) -> None:
    """Remove a file that this program wrote: its rows belong to an earlier upload."""
    if not path.exists():
        return
    with _translate_errors():
        own = f"{','.join(_ADDED_COLUMNS)},".encode()
        with path.open("rb") as file:
            is_own = own.startswith(file.read(len(own)))  # one that was killed may have written less
        if not is_own:
            raise BadInput(f"{path} is not a file of rejects and would be overwritten. Name another with --rejects.")
        path.unlink()


@contextmanager
def _translate_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CannotWrite(f"The rejects cannot be written: {error.strerror or type(error).__name__}.") from error
