"""The rejects CSV: each rejected row with its values as the file has them, its line and why. `send` takes it back."""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import TextIO

from client.errors import BadInput, CannotWrite
from client.records import read_fields, write_row

ADDED_COLUMNS = ("line", "field", "reason", "row")
"""They stand behind the file's own columns; `send` ignores them. `row` has the text of a row without clear fields."""

_NAME_ANOTHER = "Name another file with --rejects."


def default_rejects_path(
    file: Path, is_writable: Callable[[Path], bool] = lambda path: os.access(path, os.W_OK)
) -> Path:
    """`rows.rejects.csv` beside `rows.csv.gz` or `rows.xlsx`; in the current directory where the file's own cannot be
    written.
    """
    name = re.sub(r"(\.(csv|tsv|txt))?(\.gz)?$|\.xlsx$", "", file.name, flags=re.IGNORECASE) + ".rejects.csv"
    return file.with_name(name) if is_writable(file.parent) else Path(name)


def next_free_path(path: Path) -> Path:
    """`path`, or `rows.rejects-2.csv`, `rows.rejects-3.csv` … where another file has that name."""
    names = (path if number == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}") for number in count(1))
    return next(each for each in names if not each.exists())


def shortest_path(path: Path) -> Path:
    """As it is seen from the current directory, where it is below it."""
    with suppress(ValueError):
        return path.relative_to(Path.cwd())
    return path


def check_rejects_path(path: Path, source: Path) -> None:
    """Raises BadInput where rejects could not be written, or would overwrite the file that is sent."""
    with suppress(OSError):
        if path.samefile(source):
            raise BadInput(f"The rejects would overwrite the file that is sent. {_NAME_ANOTHER}")
    is_writable = os.access(path if path.exists() else path.parent, os.W_OK)
    if not is_writable or path.is_dir():
        raise BadInput(f"The rejects cannot be written to {path}. {_NAME_ANOTHER}")


class Rejects:
    """Writes the rejected rows of one upload, always with commas. The first of them creates the file.

    `path` must not exist, unless an earlier run of this upload wrote it: then `is_own`, and the file is replaced.
    `on_create` is told the file's whole path when it is there, so that no other upload has made it.
    """

    def __init__(
        self, path: Path, columns: Sequence[str], separator: bytes, on_create: Callable[[Path], None], *, is_own: bool
    ) -> None:
        if path.exists() and not is_own:
            raise BadInput(f"{path} exists, and this upload did not write it. {_NAME_ANOTHER}")
        self._path = path
        self._columns = columns
        self._separator = separator
        self._own_columns = [name for name in columns if name not in ADDED_COLUMNS]
        self._on_create = on_create
        self._is_own = is_own
        self._file: TextIO | None = None

    @property
    def path(self) -> Path | None:
        """The file; None if no row was rejected."""
        return self._path if self._file else None

    def add(self, line: int, field: str, reason: str, text: bytes) -> None:
        """Raises CannotWrite: a reject that is not kept would be lost."""
        with _translate_errors():
            file = self._file = self._file or self._create()
            fields, raw = self._fields(text)
            write_row(file, [*fields, str(line), field, reason, raw])

    def close(self) -> None:
        """Return when all rejects are on disk. Raises CannotWrite."""
        if self._file:
            with _translate_errors(), self._file as file:
                file.flush()
                os.fsync(file.fileno())
        elif self._is_own:
            self._path.unlink(missing_ok=True)

    def discard(self) -> None:
        """Remove the file that this run wrote. For an upload that reached nobody: the next run writes it again."""
        if self._file:
            with _translate_errors():
                self._file.close()
                self._path.unlink(missing_ok=True)
            self._file = None

    def _create(self) -> TextIO:
        file = self._open()
        self._on_create(self._path.absolute())
        write_row(file, [*self._own_columns, *ADDED_COLUMNS])
        return file

    def _open(self) -> TextIO:
        """Under the next free name, where another upload was quicker."""
        while True:
            try:
                return self._path.open("w" if self._is_own else "x", encoding="utf-8", newline="")
            except FileExistsError:
                self._path = next_free_path(self._path)

    def _fields(self, text: bytes) -> tuple[list[str], str]:
        fields = read_fields(text, self._separator)
        if fields is None or len(fields) != len(self._columns):
            return [""] * len(self._own_columns), text.decode(errors="replace")
        own = zip(self._columns, fields, strict=True)
        return [value for name, value in own if name not in ADDED_COLUMNS], ""


@contextmanager
def _translate_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CannotWrite(f"The rejects cannot be written: {error.strerror or type(error).__name__}.") from error
