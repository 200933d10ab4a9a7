"""What a CSV leads us to expect: the line id of every row that is an invoice line, and the rows that are none."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from invoices.line import Line
from invoices.line_id import line_id
from pipeline_ops.csv_rows import read_rows


@dataclass(frozen=True, slots=True)
class ExpectedRow:
    """`number` is the line of the file, from 1. `line` is None where the row is no invoice line: it is refused."""

    number: int
    line: Line | None
    line_id: bytes = b""


class Repeats:
    """Numbers rows that repeat, by content: the n-th row with exactly this content is Occurrence n.

    A row is known by the line id that it has as the first of its kind, which is a hash of its content.
    """

    def __init__(self) -> None:
        self._seen: set[bytes] = set()
        self._counts: dict[bytes, int] = {}

    def numbered(self, line: Line) -> tuple[bytes, Line]:
        """The row's line id, and the row with its Occurrence."""
        first = line.model_copy(update={"Occurrence": 1})
        content = _line_id(first)
        if content not in self._seen:
            self._seen.add(content)
            return content, first
        self._counts[content] = self._counts.get(content, 1) + 1
        repeated = line.model_copy(update={"Occurrence": self._counts[content]})
        return _line_id(repeated), repeated


def expected_rows(path: Path) -> Iterator[ExpectedRow]:
    """Every row of the file in its order. Raises OpsError where the file cannot be read."""
    repeats = Repeats()
    for number, values in read_rows(path):
        line = _line(values)
        if line is None:
            yield ExpectedRow(number, None)
        else:
            name, numbered = repeats.numbered(line)
            yield ExpectedRow(number, numbered, name)


def _line(values: dict[str, str] | None) -> Line | None:
    try:
        return Line.model_validate(values) if values else None
    except ValidationError:
        return None


def _line_id(line: Line) -> bytes:
    """With Occurrence neither batch nor place counts. Bytes, because half a million texts would take twice the room."""
    return bytes.fromhex(line_id(line, batch_id="", index=0))
