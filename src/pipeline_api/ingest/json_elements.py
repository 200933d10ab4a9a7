"""Cutting JSON into the texts of its elements, without keeping what they hold."""

import json
import re
from collections.abc import Iterator

from invoices.errors import Malformed
from invoices.rows import check_row_count

_BLANKS = re.compile(r"[ \t\r\n]*")


def _forget(_pairs: list[tuple[str, object]]) -> None:
    return None


_DECODER = json.JSONDecoder(object_pairs_hook=_forget, parse_int=str, parse_float=str, parse_constant=str)


def json_elements(data: bytes) -> list[bytes]:
    """The text of each element of an array; anything else is its own only element.

    Raises Malformed for broken JSON, and TooLarge as soon as there are more elements than a batch may have rows.
    """
    try:
        return _texts(data.decode())
    except UnicodeDecodeError as error:
        raise Malformed(f"the body is not UTF-8, at byte {error.start + 1:,}") from None
    except json.JSONDecodeError as error:
        raise Malformed(f"the body is not valid JSON, near character {error.pos + 1:,}") from None
    except RecursionError:
        raise Malformed("the body is nested too deeply") from None


def _texts(text: str) -> list[bytes]:
    texts: list[bytes] = []
    for start, end in _spans_in_array(text) if text.startswith("[") else _span_of_all(text):
        texts.append(text[start:end].encode())
        check_row_count(len(texts))
    return texts


def _span_of_all(text: str) -> Iterator[tuple[int, int]]:
    end = _end_of_value(text, 0)
    _expect_end(text, end)
    yield 0, end


def _spans_in_array(text: str) -> Iterator[tuple[int, int]]:
    position = _after_blanks(text, 1)
    closed = text.startswith("]", position)
    while not closed:
        end = _end_of_value(text, position)
        yield position, end
        position = _after_blanks(text, end)
        closed = text.startswith("]", position)
        position = position if closed else _after_comma(text, position)
    _expect_end(text, position + 1)


def _end_of_value(text: str, start: int) -> int:
    _, end = _DECODER.raw_decode(text, start)
    return end


def _after_comma(text: str, position: int) -> int:
    if not text.startswith(",", position):
        raise json.JSONDecodeError("a comma is missing", text, position)
    return _after_blanks(text, position + 1)


def _after_blanks(text: str, position: int) -> int:
    blanks = _BLANKS.match(text, position)
    return blanks.end() if blanks else position


def _expect_end(text: str, position: int) -> None:
    if _after_blanks(text, position) < len(text):
        raise json.JSONDecodeError("more than one value", text, position)
