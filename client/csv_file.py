"""The file as UTF-8 text: its bytes, inflated if they are gzip, and its encoding found from all of them.

Standard input is first copied into a temporary file, and a sheet of an .xlsx file is first written into one as CSV.
"""

import codecs
import gzip
import os
import shutil
import stat
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, cast
from zipfile import BadZipFile, ZipFile

from client.dates import SlashScan
from client.errors import BadInput, FileChanged
from client.workbook import csv_of_workbook

UTF8_BOM = b"\xef\xbb\xbf"

BLOCK_BYTES = 5 * 512 * 1024
"""What is read and parsed at a time, inflated: some 31,000 rows, so that work on a distinct value serves many rows."""

_GZIP_MAGIC = b"\x1f\x8b"
_DIGEST_BYTES = 16
_UTF32_BOMS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)  # the little-endian one begins with UTF-16's
_UTF16_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_FIRST_BYTES = 4
_ZIP_MAGIC = b"PK\x03\x04"
_TAR_MAGIC, _TAR_MAGIC_PLACE = b"ustar", 257
_OTHER_KINDS = {
    _ZIP_MAGIC: "a ZIP archive. Unpack it and send the files that are in it",
    b"7z\xbc\xaf": "a 7-Zip archive. Unpack it and send the files that are in it",
    b"Rar!": "a RAR archive. Unpack it and send the files that are in it",
    b"BZh": "compressed with bzip2. Decompress it first: only gzip is read as it is",
    b"\xfd7zXZ": "compressed with xz. Decompress it first: only gzip is read as it is",
    b"\x28\xb5\x2f\xfd": "compressed with zstd. Decompress it first: only gzip is read as it is",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls) or another Office file. Save it as .xlsx or as CSV",
    b"\x89PNG": "a picture (PNG). Rows are read from CSV and .xlsx files",
    b"\xff\xd8\xff": "a picture (JPEG). Rows are read from CSV and .xlsx files",
    b"GIF8": "a picture (GIF). Rows are read from CSV and .xlsx files",
    b"%PDF": "a PDF. Rows are read from CSV and .xlsx files",
    b"PAR1": "a Parquet file. Rows are read from CSV and .xlsx files",
}
_NOT_IN_CP1252 = (b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d")


STDIN = Path("-")
"""The name that stands for standard input."""


@contextmanager
def open_source(path: Path, sheet: str | None = None) -> Iterator["Source"]:
    """The file, read once already. `sheet` is one of an .xlsx file's; None is its first.

    Raises BadInput where it cannot be read or is not text in a known encoding.
    """
    with ExitStack() as files:
        with _translate_errors():
            file = files.enter_context(_spool(sys.stdin.buffer) if path == STDIN else path.open("rb"))
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise BadInput("Only a regular file can be sent, because it is read twice. `-` reads from a pipe.")
            is_workbook = _is_workbook(file)
            if is_workbook:
                file = files.enter_context(csv_of_workbook(file, sheet))
        if sheet and not is_workbook:
            raise BadInput("--sheet is for .xlsx files only.")
        yield Source(file, "xlsx" if is_workbook else None)


@contextmanager
def _spool(stream: BinaryIO) -> Iterator[BinaryIO]:
    with cast("BinaryIO", TemporaryFile()) as file:
        shutil.copyfileobj(stream, file, BLOCK_BYTES)
        file.flush()
        yield file


def _is_workbook(file: BinaryIO) -> bool:
    file.seek(0)
    if file.read(len(_ZIP_MAGIC)) != _ZIP_MAGIC:
        return False
    try:
        with ZipFile(file) as archive:
            return any(name.startswith("xl/workbook.") for name in archive.namelist())
    except BadZipFile as error:
        raise BadInput("The file is a damaged .xlsx file or ZIP archive, or ends too early.") from error


class Source:
    """An open file that is read twice: first to learn about it, then to send it.

    `form` tells people what was read: `utf-8`, `cp1252`, `utf-16` or `xlsx`; `slashes` tells about the dates. `size`,
    in bytes, and `digest` are those of the inflated text, so a copy and a gzip of a file have the same. The file stays
    open: one that is renamed or deleted meanwhile is still read.
    """

    def __init__(self, file: BinaryIO, form: str | None = None) -> None:
        self._file = file
        self._file_size = os.fstat(file.fileno()).st_size
        self._checksum = 0
        self._is_utf16 = False
        self.size = 0
        self.slashes = SlashScan()
        digest = blake2b(digest_size=_DIGEST_BYTES)
        try:
            self.encoding = find_encoding(self._scan(digest))
        except UnicodeDecodeError as error:
            raise BadInput("The file begins as UTF-16 text, and not all of it is. Save it as UTF-8.") from error
        self.form = form or ("utf-16" if self._is_utf16 else self.encoding)
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
            yield from self._decode_utf16(iter(partial(file.read, BLOCK_BYTES), b""))

    def _decode_utf16(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """UTF-16 becomes UTF-8, so that all other code sees one byte for a comma. Other text stays as it is."""
        first = next(blocks, b"")
        _refuse_other_kinds(first)
        codec = _utf16_codec(first)
        self._is_utf16 = codec is not None
        if codec is None:
            yield from chain([first] if first else [], blocks)
            return
        decoder = codecs.getincrementaldecoder(codec)()
        for block in chain([first], blocks):
            yield decoder.decode(block).encode()
        yield decoder.decode(b"", final=True).encode()


def find_encoding(blocks: Iterable[bytes]) -> str:
    """`utf-8` if every byte fits it, else `cp1252` if every byte fits that. Raises BadInput where neither does."""
    utf8, cp1252_fits, is_first = _Utf8Check(), True, True
    for block in blocks:
        if is_first:
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


def _refuse_other_kinds(first: bytes) -> None:
    kind = next((kind for magic, kind in _OTHER_KINDS.items() if first.startswith(magic)), None)
    if first[_TAR_MAGIC_PLACE:].startswith(_TAR_MAGIC):
        kind = "a tar archive. Unpack it and send the files that are in it"
    if kind:
        raise BadInput(f"The file is {kind}.")


def _utf16_codec(first: bytes) -> str | None:
    """Text without a byte order mark is recognised by the zeros beside its first letters."""
    start = first[:_FIRST_BYTES]
    if start.startswith(_UTF32_BOMS) or start.count(0) > len(start) // 2:
        raise BadInput("The file looks like UTF-32. Save it as UTF-8 and send it again.")
    if start.startswith(_UTF16_BOMS):
        return "utf-16"
    if start[1::2] == b"\0\0":
        return "utf-16-le"
    return "utf-16-be" if start[::2] == b"\0\0" else None


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
