"""Which of two encodings a file is written in: found out by decoding all of it, never guessed from its beginning."""

import codecs
from collections.abc import Iterable
from dataclasses import dataclass

from client.failures import BadInput

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
