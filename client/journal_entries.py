"""The journal's lines, each a JSON object: what they say, and what they come to together."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias, TypedDict, cast

from client.answers import IngestAnswer, counted_answer
from client.begun import Begun
from client.failures import BadInput, StrangeAnswer

VERSION = 1
_OPENING = b'{"journal":'

_Json: TypeAlias = Mapping[str, object]


class Header(TypedDict):
    """The first line: of which journal format, of which file, to which API. `size` and `blake2b` are the text's."""

    journal: int
    url: str
    size: int
    blake2b: str


class BegunEntry(TypedDict):
    begun: str
    first: int
    rows: int
    bytes: int
    blake2b: str


class AnsweredEntry(IngestAnswer):
    answered: str


class SplitEntry(TypedDict):
    """The API found the batch too large, so its rows are free for other batches."""

    split: str


Entry: TypeAlias = Header | BegunEntry | AnsweredEntry | SplitEntry


@dataclass(slots=True)
class Past:
    """What a journal says; `size` is how many of its bytes do, the rest is a line that was cut off."""

    header: Header | None = None
    begun: dict[str, Begun] = field(default_factory=dict)
    size: int = 0


def to_line(entry: Entry) -> bytes:
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"


def check_is_journal(data: bytes) -> None:
    """Raises BadInput where this may be anything but a journal, perhaps one that was cut off at its very beginning."""
    text = data.rstrip(b"\0")
    if text[: len(_OPENING)] != _OPENING[: len(text)]:
        raise BadInput("The file that should hold the journal is no journal; name another place with --journal.")


def read_past(data: bytes) -> Past:
    """Raises BadInput where the journal was damaged elsewhere than at its end. Nothing was sent before its header."""
    past = Past()
    entries = list(_whole_entries(data))
    if not entries:
        return past
    past.header = _header(entries[0][0])
    past.size = entries[-1][1]
    for entry, _ in entries[1:]:
        _add(past, entry)
    _check_ranges(sorted(past.begun.values(), key=lambda each: each.first))
    return past


def _whole_entries(data: bytes) -> Iterator[tuple[_Json, int]]:
    """Each entry with the place after it. After a loss of power the last lines may be anything."""
    end, is_readable = 0, True
    for line in data.splitlines(keepends=True):
        end += len(line)
        entry = _parsed(line)
        if entry is None:
            is_readable = False
        elif is_readable:
            yield entry, end
        else:
            raise _damaged()


def _parsed(line: bytes) -> _Json | None:
    if not line.endswith(b"\n"):
        return None
    try:
        entry: object = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return cast("_Json", entry) if isinstance(entry, dict) else None


def _header(entry: _Json) -> Header:
    if entry.get("journal") != VERSION:
        raise BadInput("The journal is of another version of the client; --fresh starts anew.")
    return Header(
        journal=VERSION, url=_text(entry, "url"), size=_number(entry, "size"), blake2b=_text(entry, "blake2b")
    )


def _add(past: Past, entry: _Json) -> None:
    if "begun" in entry:
        begun = _begun(entry)
        past.begun[begun.key] = begun
        return
    key = _text(entry, "answered" if "answered" in entry else "split")
    if key not in past.begun:
        raise _damaged()
    if "split" in entry:
        del past.begun[key]
    else:
        past.begun[key] = replace(past.begun[key], answer=_answer(entry, past.begun[key].rows))


def _begun(entry: _Json) -> Begun:
    first, rows, size = (_number(entry, name) for name in ("first", "rows", "bytes"))
    return Begun(_text(entry, "begun"), first, rows, size, _text(entry, "blake2b"))


def _answer(entry: _Json, rows: int) -> IngestAnswer:
    try:
        return counted_answer(entry, rows)
    except StrangeAnswer as error:
        raise _damaged() from error


def _check_ranges(begun: Sequence[Begun]) -> None:
    ends = 0
    for each in begun:
        if each.first < ends or each.rows < 1:
            raise _damaged()
        ends = each.end


def _text(entry: _Json, name: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str):
        raise _damaged()
    return value


def _number(entry: _Json, name: str) -> int:
    value = entry.get(name)
    if type(value) is not int or value < 0:
        raise _damaged()
    return value


def _damaged() -> BadInput:
    return BadInput("The journal of the last upload is damaged; --fresh starts anew, and counts no row twice.")
