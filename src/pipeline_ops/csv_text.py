"""A CSV's text, line by line: its encoding is found out by decoding all of it."""

import codecs
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from pipeline_ops.errors import OpsError

_GZIP_MAGIC = b"\x1f\x8b"
_READ_BYTES = 1 << 20


@contextmanager
def csv_lines(path: Path) -> Iterator[Iterator[str]]:
    """The file's lines, each with its line break. Raises OpsError, also while reading, where it cannot be read."""
    with _readable(path), _opened(path) as file:
        encoding = _encoding(file)
        file.seek(0)
        yield (line.decode(encoding) for line in _without_mark(file))


def _without_mark(file: IO[bytes]) -> Iterator[bytes]:
    yield file.readline().removeprefix(codecs.BOM_UTF8)
    yield from file


def _encoding(file: IO[bytes]) -> str:
    """UTF-8 if every byte of the file is, else cp1252, which spreadsheets in the West write."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for block in iter(lambda: file.read(_READ_BYTES), b""):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _opened(path: Path) -> IO[bytes]:
    """The file's bytes, inflated if it is gzip, whatever its name says."""
    with path.open("rb") as file:
        zipped = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
    return cast("IO[bytes]", gzip.open(path)) if zipped else path.open("rb")


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        raise OpsError(f"{path.name} is neither UTF-8 nor cp1252 text.") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise OpsError(f"The gzip data of {path.name} is damaged or ends too early.") from error
    except OSError as error:
        raise OpsError(f"{path.name} cannot be read: {error.strerror or type(error).__name__}.") from error
