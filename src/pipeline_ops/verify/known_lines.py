"""Which lines the CSV and the archive contain, and which of them the tables contain too.

It is compact, because a file may have millions of lines: about 130 bytes each.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from invoices.line import Line, content, statement_strength

_NONE = 0
_ORDINARY = ("", False)


@dataclass(frozen=True, slots=True)
class KnownLine:
    """`csv_line` counts from 1; `object_number` is the first raw object with this line, from 0. None: not there."""

    line_id: bytes
    csv_line: int | None
    object_number: int | None
    is_redriven: bool
    is_stored: bool

    @property
    def is_archived(self) -> bool:
        return self.object_number is not None or self.is_redriven


class Statements:
    """The statement that holds of each line in one place. Lines with ordinary rows alone take no memory."""

    def __init__(self) -> None:
        self._strengths: dict[bytes, tuple[str, bool]] = {}

    def __iter__(self) -> Iterator[bytes]:
        """The ids of the lines of which something is stated."""
        return iter(self._strengths)

    def __getitem__(self, line_id: bytes) -> tuple[str, bool]:
        """As in statement_strength."""
        return self._strengths.get(line_id, _ORDINARY)

    def add(self, line_id: bytes, line: Line) -> None:
        if not line.is_ordinary:
            self._strengths[line_id] = max(self[line_id], statement_strength(line))

    def is_withdrawn(self, line_id: bytes) -> bool:
        return self[line_id][1]


class KnownLines:
    """A dict from line id to a position in arrays. `statements` are those of the archive.

    Lines that were archived while the stores were read are kept apart, with `late_statements`: a store may have them.
    """

    def __init__(self) -> None:
        self.statements = Statements()
        self.late_statements = Statements()
        self._late: set[bytes] = set()
        self._only_stated: set[bytes] = set()
        self._positions: dict[bytes, int] = {}
        self._csv_lines = array("I")
        self._objects = array("I")
        self._contents = array("q")
        self._redriven = bytearray()
        self._stored = bytearray()

    def __iter__(self) -> Iterator[KnownLine]:
        """In the order in which the lines were added."""
        for line_id, position in self._positions.items():
            yield self._at(line_id, position)

    def __contains__(self, line_id: bytes) -> bool:
        return line_id in self._positions

    def __getitem__(self, line_id: bytes) -> KnownLine:
        return self._at(line_id, self._positions[line_id])

    @property
    def stored_count(self) -> int:
        return sum(self._stored)

    def add_from_csv(self, line_id: bytes, line: Line, csv_line: int) -> None:
        self._csv_lines[self._position(line_id, line)] = csv_line

    def add_from_object(self, line_id: bytes, line: Line, object_number: int) -> bool:
        """False if an object has this line already and the row states nothing else about it."""
        self.statements.add(line_id, line)
        position = self._position(line_id, line)
        is_new = self._objects[position] == _NONE
        if is_new:
            self._objects[position] = object_number + 1
        if not line.is_ordinary:
            self._only_stated.update({line_id} if is_new else ())
            return True
        if line_id in self._only_stated:
            self._only_stated.remove(line_id)
            return True
        return is_new

    def is_from_csv(self, line_id: bytes) -> bool:
        return self._csv_lines[self._positions[line_id]] != _NONE

    def add_redriven(self, line_id: bytes, line: Line) -> None:
        self.statements.add(line_id, line)
        self._redriven[self._position(line_id, line)] = True

    def add_late(self, line_id: bytes, line: Line) -> None:
        self.late_statements.add(line_id, line)
        self._late.add(line_id)

    def is_late(self, line_id: bytes) -> bool:
        return line_id in self._late

    def mark_stored(self, line_id: bytes, line: Line) -> bool:
        """The tables contain this known line. False if its content there is different."""
        self._stored[self._positions[line_id]] = True
        return self.has_content(line_id, line)

    def has_content(self, line_id: bytes, line: Line) -> bool:
        return self._contents[self._positions[line_id]] == _content_hash(line)

    def _position(self, line_id: bytes, line: Line) -> int:
        """Where the line's values are in the arrays; a new line gets the next position."""
        position = self._positions.setdefault(line_id, len(self._positions))
        if position == len(self._csv_lines):
            self._csv_lines.append(_NONE)
            self._objects.append(_NONE)
            self._contents.append(_content_hash(line))
            self._redriven.append(False)
            self._stored.append(False)
        return position

    def _at(self, line_id: bytes, position: int) -> KnownLine:
        object_number = self._objects[position]
        return KnownLine(
            line_id=line_id,
            csv_line=self._csv_lines[position] or None,
            object_number=None if object_number == _NONE else object_number - 1,
            is_redriven=bool(self._redriven[position]),
            is_stored=bool(self._stored[position]),
        )


def _content_hash(line: Line) -> int:
    """Valid only within this process: Python salts the hash of text."""
    return hash(content(line))
