"""What became of every row that was read."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from client.batches import Batch

_FIRST_LINE = 1


@dataclass(frozen=True, slots=True)
class LineRange:
    """Lines of the file, both ends included; `last` None is the end of the file."""

    first: int
    last: int | None

    def __str__(self) -> str:
        if self.last is None:
            return f"line {self.first:,} to the end of the file"
        return f"lines {self.first:,} to {self.last:,}" if self.last > self.first else f"line {self.first:,}"


@dataclass(slots=True)
class Ledger:
    """Counts of rows and requests. At any time: rows_read = accepted + rejected + not_sent.

    All are of the whole file; `resumed` of its rows were answered in earlier runs.
    """

    rows_read: int = 0
    accepted: int = 0
    rejected: int = 0
    batches: int = 0
    bytes_sent: int = 0
    resumed: int = 0
    read_to_end: bool = False
    _next_line: int = _FIRST_LINE
    _open: dict[str, Batch] = field(default_factory=dict)

    @property
    def not_sent(self) -> int:
        """Rows that were read and have no answer."""
        return sum(len(batch.rows) for batch in self._open.values())

    def taken(self, batch: Batch) -> None:
        """A batch came from the file."""
        self.rows_read += len(batch.rows) + len(batch.broken)
        self.rejected += len(batch.broken)
        if batch.rows:
            self._open[batch.key] = batch
            self._next_line = batch.rows.line(-1) + 1

    def split(self, batch: Batch, parts: Sequence[Batch]) -> None:
        """The parts stand for the batch from now on."""
        del self._open[batch.key]
        self._open |= {part.key: part for part in parts}

    def answered(self, batch: Batch, accepted: int, rejected: int) -> None:
        del self._open[batch.key]
        self.accepted += accepted
        self.rejected += rejected
        self.batches += 1
        self.bytes_sent += batch.size
        if batch.earlier_answer:
            self.resumed += len(batch.rows)

    def not_sent_lines(self) -> list[LineRange]:
        """Where the rows stand that have no answer, and the rest of the file if it was not read."""
        ranges = [LineRange(batch.rows.line(0), batch.rows.line(-1)) for batch in self._open.values()]
        if not self.read_to_end:
            ranges.append(LineRange(self._next_line, None))
        return _joined(sorted(ranges, key=lambda each: each.first))


def _joined(ranges: Sequence[LineRange]) -> list[LineRange]:
    joined: list[LineRange] = []
    for each in ranges:
        if joined and joined[-1].last == each.first - 1:
            each = LineRange(joined.pop().first, each.last)  # noqa: PLW2901 - the two become one
        joined.append(each)
    return joined
