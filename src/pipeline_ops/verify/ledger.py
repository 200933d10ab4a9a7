"""One entry for each line id: where the line was seen. Compact, because a file has half a million of them."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from invoices.line import Line, content

_UNSEEN = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """`number` is the CSV's line; `place` the archive's object, counted from 0. None is: not seen there."""

    line_id: bytes
    number: int | None
    place: int | None
    redriven: bool
    in_tables: bool

    @property
    def is_archived(self) -> bool:
        return self.place is not None or self.redriven


class Ledger:
    """Some 130 bytes a line: a dict from line id to a position in arrays."""

    def __init__(self) -> None:
        self._positions: dict[bytes, int] = {}
        self._numbers = array("I")
        self._places = array("I")
        self._contents = array("q")
        self._redriven = bytearray()
        self._in_tables = bytearray()

    def __iter__(self) -> Iterator[Entry]:
        """In the order in which the lines were first seen."""
        for line_id, position in self._positions.items():
            yield self._entry(line_id, position)

    def __contains__(self, line_id: bytes) -> bool:
        return line_id in self._positions

    def __getitem__(self, line_id: bytes) -> Entry:
        return self._entry(line_id, self._positions[line_id])

    @property
    def lines_in_tables(self) -> int:
        return sum(self._in_tables)

    def expect(self, line_id: bytes, line: Line, number: int) -> None:
        """The CSV has it on this line."""
        self._numbers[self._position(line_id, line)] = number

    def archive(self, line_id: bytes, line: Line, place: int) -> int | None:
        """The object at this place holds it. Gives the place of the first object to hold it, or None if it is this."""
        position = self._position(line_id, line)
        first = self._places[position]
        if first != _UNSEEN:
            return first - 1
        self._places[position] = place + 1
        return None

    def redrive(self, line_id: bytes, line: Line) -> None:
        self._redriven[self._position(line_id, line)] = True

    def store(self, line_id: bytes, line: Line) -> bool:
        """The tables hold it. False if a line of this id was seen that says something else."""
        position = self._positions[line_id]
        self._in_tables[position] = True
        return self._contents[position] == _content_hash(line)

    def _position(self, line_id: bytes, line: Line) -> int:
        position = self._positions.setdefault(line_id, len(self._positions))
        if position == len(self._numbers):
            self._append(line)
        return position

    def _append(self, line: Line) -> None:
        self._numbers.append(_UNSEEN)
        self._places.append(_UNSEEN)
        self._contents.append(_content_hash(line))
        self._redriven.append(False)
        self._in_tables.append(False)

    def _entry(self, line_id: bytes, position: int) -> Entry:
        number, place = self._numbers[position], self._places[position]
        return Entry(
            line_id,
            number or None,
            place - 1 if place else None,
            bool(self._redriven[position]),
            bool(self._in_tables[position]),
        )


def _content_hash(line: Line) -> int:
    """Within one process only: Python's own hash of text is another in each."""
    return hash(content(line))
