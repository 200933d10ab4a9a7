"""The file as UTF-8 text: its bytes from disk, inflated if they are gzip, and its encoding found from all of them."""

import codecs
import gzip
import os
import stat
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, cast

from client.dates import SlashScan
from client.errors import BadInput, FileChanged

UTF8_BOM = b"\xef\xbb\xbf"

BLOCK_BYTES = 5 * 512 * 1024
"""What is read and parsed at a time, inflated: some 31,000 rows, so that work on a distinct value serves many rows."""

_GZIP_MAGIC = b"\x1f\x8b"
_DIGEST_BYTES = 16
_WIDE_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # UTF-32's little-endian mark begins with UTF-16's
_FIRST_BYTES = 4
_NOT_IN_CP1252 = (b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d")


@contextmanager
def open_source(path: Path) -> Iterator["Source"]:
    """The file, read once already. Raises BadInput where it cannot be read or is not text in a known encoding."""
    with _translate_errors():
        file = path.open("rb")
    with file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise BadInput("Only a regular file can be sent, because it is read twice.")
        yield Source(file)


class Source:
    """An open file that is read twice: first to learn about it, then to send it.

    `encoding` is `utf-8` or `cp1252`; `slashes` tells about the dates. `size`, in bytes, and `digest` are those of the
    inflated text, so a copy and a gzip of a file have the same. The file stays open: one that is renamed or deleted
    meanwhile is still read.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._file_size = os.fstat(file.fileno()).st_size
        self._checksum = 0
        self.size = 0
        self.slashes = SlashScan()
        digest = blake2b(digest_size=_DIGEST_BYTES)
        self.encoding = find_encoding(self._scan(digest))
        self.digest = digest.hexdigest()

    @property
    def fraction(self) -> float:
        """How much of the file was read, from 0 to 1."""
        return min(1.0, self._file.tell() / self._file_size) if self._file_size else 1.0

    def blocks(self) -> Iterator[bytes]:
        """The text as UTF-8 without its byte order mark. A block may end anywhere, also inside a character.

        Raises BadInput where the file cannot be read, FileChanged where the text is not that of the first reading.
        """
        checksum, is_first = 0, True
        for block in self._read_blocks():
            checksum = zlib.crc32(block, checksum)
            text = block.removeprefix(UTF8_BOM) if is_first else block
            is_first = False
            yield text if self.encoding == "utf-8" else _utf8(text, self.encoding)
        if checksum != self._checksum:
            raise FileChanged

    def _scan(self, digest: blake2b) -> Iterator[bytes]:
        """The first reading. The second one compares only the checksum: a second digest takes 4 % of all time."""
        for block in self._read_blocks():
            self.size += len(block)
            digest.update(block)
            self.slashes.feed(block)
            self._checksum = zlib.crc32(block, self._checksum)
            yield block

    def _read_blocks(self) -> Iterator[bytes]:
        with _translate_errors():
            self._file.seek(0)
            is_gzip = self._file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
            self._file.seek(0)
            file = cast("BinaryIO", gzip.GzipFile(fileobj=self._file)) if is_gzip else self._file
            while block := file.read(BLOCK_BYTES):
                yield block


def find_encoding(blocks: Iterable[bytes]) -> str:
    """`utf-8` if every byte fits it, else `cp1252` if every byte fits that. Raises BadInput where neither does."""
    utf8, cp1252_fits, is_first = _Utf8Check(), True, True
    for block in blocks:
        if is_first:
            _refuse_wide_characters(block)
            cp1252_fits = not block.startswith(UTF8_BOM)  # a file with a byte order mark is UTF-8
            is_first = False
        utf8.feed(block)
        cp1252_fits = cp1252_fits and not any(byte in block for byte in _NOT_IN_CP1252)
    utf8.feed(b"", final=True)
    if utf8.fits:
        return "utf-8"
    if cp1252_fits:
        return "cp1252"
    raise BadInput("The file is neither UTF-8 nor cp1252 (Windows-1252) text. Save it as UTF-8 and send it again.")


class _Utf8Check:
    """Tells whether all bytes fed to it are UTF-8, also where a character spans two blocks."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self.fits = True

    def feed(self, block: bytes, *, final: bool = False) -> None:
        if not self.fits:
            return
        try:
            self._decoder.decode(block, final)
        except UnicodeDecodeError:
            self.fits = False


def _refuse_wide_characters(block: bytes) -> None:
    if block.startswith(_WIDE_BOMS) or b"\0" in block[:_FIRST_BYTES]:
        raise BadInput("The file looks like UTF-16 or UTF-32. Save it as UTF-8 and send it again.")


def _utf8(block: bytes, encoding: str) -> bytes:
    """Each block can be decoded alone: cp1252 has one byte for a character."""
    try:
        return block.decode(encoding).encode()
    except UnicodeDecodeError as error:
        raise FileChanged from error


@contextmanager
def _translate_errors() -> Iterator[None]:
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadInput("The file's gzip data is damaged or ends too early.") from error
    except OSError as error:
        raise BadInput(f"The file cannot be read: {error.strerror or type(error).__name__}.") from error
