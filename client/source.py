"""The file itself: its bytes from disk, inflated where they are gzip, as UTF-8."""

import gzip
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, cast

from client.encoding import UTF8_BOM, Encoded, find_encoding
from client.failures import BadInput
from client.limits import BLOCK_BYTES

_GZIP_MAGIC = b"\x1f\x8b"
_DIGEST_BYTES = 16
_SCANNED_BYTES = 256 * 1024  # at a time, where nothing is parsed: it stays in the processor's cache


class Source:
    """An open file, read twice: once to find its encoding and its digest, once to send it.

    It stays open in between, so a file that is renamed or deleted meanwhile is still read to its end.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size
        self._encoded = Encoded("utf-8", 0)
        self._digest = ""
        self._checksum = 0

    @property
    def encoding(self) -> str:
        return self._encoded.encoding

    @property
    def size(self) -> int:
        """Bytes of the text."""
        return self._encoded.size

    @property
    def digest(self) -> str:
        """Of the text, so the same for a file that was copied or packed."""
        return self._digest

    @property
    def fraction(self) -> float:
        """How much of the file was read, from 0 to 1."""
        return min(1.0, self._file.tell() / self._size) if self._size else 1.0

    def find_encoding(self) -> None:
        """Raises BadInput where the file is no text in an encoding that we know."""
        digest = blake2b(digest_size=_DIGEST_BYTES)
        self._encoded = find_encoding(self._scanned(digest))
        self._digest = digest.hexdigest()

    def blocks(self) -> Iterator[bytes]:
        """The text as UTF-8 without its byte order mark. A block may end anywhere, also inside a character."""
        checksum, is_first = 0, True
        for block in self._plain_blocks(BLOCK_BYTES):
            checksum = zlib.crc32(block, checksum)
            text = block.removeprefix(UTF8_BOM) if is_first else block
            is_first = False
            yield text if self.encoding == "utf-8" else _utf8(text, self.encoding)
        if checksum != self._checksum:
            raise changed()

    def _scanned(self, digest: blake2b) -> Iterator[bytes]:
        """The first reading. A checksum is enough to compare the second with: it takes a fifth of the digest's time."""
        self._checksum = 0
        for block in self._plain_blocks(_SCANNED_BYTES):
            digest.update(block)
            self._checksum = zlib.crc32(block, self._checksum)
            yield block

    def _plain_blocks(self, size: int) -> Iterator[bytes]:
        with _readable_errors():
            self._file.seek(0)
            is_gzip = self._file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
            self._file.seek(0)
            plain = cast("BinaryIO", gzip.GzipFile(fileobj=self._file)) if is_gzip else self._file
        while block := _read(plain, size):
            yield block


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """The file, open and with its encoding known. Raises BadInput where it cannot be read."""
    with _readable_errors():
        file = path.open("rb")
    with file:
        state = os.fstat(file.fileno())
        if not stat.S_ISREG(state.st_mode):
            raise BadInput("Only a regular file can be sent: it is read twice.")
        source = Source(file, state.st_size)
        source.find_encoding()
        yield source


def _read(file: BinaryIO, size: int) -> bytes:
    with _readable_errors():
        return file.read(size)


def _utf8(block: bytes, encoding: str) -> bytes:
    """Each block can be decoded alone: cp1252 has one byte for a character."""
    try:
        return block.decode(encoding).encode()
    except UnicodeDecodeError as error:
        raise changed() from error


def changed() -> BadInput:
    return BadInput("The file was changed while it was read.")


@contextmanager
def _readable_errors() -> Iterator[None]:
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadInput("The file's gzip data is damaged or ends too early.") from error
    except OSError as error:
        raise BadInput(f"The file cannot be read: {error.strerror or type(error).__name__}.") from error
