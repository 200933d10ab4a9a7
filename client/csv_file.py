"""The file itself: its bytes from disk, inflated where they are gzip, as UTF-8."""

import codecs
import gzip
import os
import stat
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, cast

from client.errors import BadInput
from client.limits import BLOCK_BYTES

# Which of two encodings a file is written in: found out by decoding all of it, never guessed from its beginning.

UTF8_BOM = b"\xef\xbb\xbf"
_WIDE_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # UTF-32's little-endian mark begins with UTF-16's
_FIRST_BYTES = 4
_NOTHING_LEFT = (b"", 0)  # a decoder's state between two characters
_NOT_IN_CP1252 = (b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d")


@dataclass(frozen=True, slots=True)
class Encoded:
    """The encoding of a text (`utf-8` or `cp1252`), and how many bytes it has."""

    encoding: str
    size: int


class _Utf8Check:
    """Tells whether all bytes fed to it are UTF-8, also where a character spans two blocks."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self.fits = True

    def feed(self, block: bytes, *, final: bool = False) -> None:
        if block.isascii() and self._decoder.getstate() == _NOTHING_LEFT:  # decoded, it would be as long again
            return
        try:
            self._decoder.decode(block, final)
        except UnicodeDecodeError:
            self.fits = False


def find_encoding(blocks: Iterable[bytes]) -> Encoded:
    """UTF-8 if every byte fits it, else cp1252 if every byte fits that; raises BadInput where neither fits."""
    utf8, cp1252_fits, size = _Utf8Check(), True, 0
    for block in blocks:
        if not size:
            _refuse_wide_characters(block)
            cp1252_fits = not block.startswith(UTF8_BOM)  # who writes the mark means UTF-8
        size += len(block)
        if utf8.fits:
            utf8.feed(block)
        cp1252_fits = cp1252_fits and (block.isascii() or not any(byte in block for byte in _NOT_IN_CP1252))
    if utf8.fits:
        utf8.feed(b"", final=True)
    return Encoded(_choose(utf8_fits=utf8.fits, cp1252_fits=cp1252_fits), size)


def _choose(*, utf8_fits: bool, cp1252_fits: bool) -> str:
    if utf8_fits:
        return "utf-8"
    if cp1252_fits:
        return "cp1252"
    raise BadInput("The file is neither UTF-8 nor cp1252 (Windows-1252) text; save it as UTF-8 and send it again.")


def _refuse_wide_characters(block: bytes) -> None:
    if block.startswith(_WIDE_BOMS) or b"\0" in block[:_FIRST_BYTES]:
        raise BadInput("The file looks like UTF-16 or UTF-32; save it as UTF-8 and send it again.")


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
