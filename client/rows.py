"""Rows ready to be sent: what the API gets, beside what the file holds. Nothing is made for each row alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from client.columns import Column
from client.records import Records


@dataclass(frozen=True, slots=True, eq=False)
class ParsedBlock:
    """Rows that were read together.

    `texts` holds the same count of neighbouring fragments for each row; joined, they are a line break and its JSON.
    `invoices` has each text under one code only.
    `read_before` and `read_after` say how much of the file was read, from 0 to 1.
    """

    records: Records
    texts: list[bytes]
    invoices: Column
    read_before: float
    read_after: float

    def fraction(self, index: int) -> float:
        return self.read_before + (self.read_after - self.read_before) * (index + 1) / len(self.records)


@dataclass(frozen=True, slots=True, eq=False)
class RowSpan:
    """Neighbouring rows of a block."""

    block: ParsedBlock
    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start

    def part(self, start: int, end: int) -> "RowSpan":
        first = self.start + max(start, 0)
        return RowSpan(self.block, first, max(first, min(self.start + end, self.end)))

    def texts(self) -> list[bytes]:
        fragments = len(self.block.texts) // len(self.block.records)
        return self.block.texts[self.start * fragments : self.end * fragments]

    def sizes(self) -> NDArray[np.int64]:
        """Bytes of each row's text."""
        fragments = np.fromiter(map(len, self.texts()), np.int64)
        sizes: NDArray[np.int64] = fragments.reshape(len(self), -1).sum(axis=1)
        return sizes

    @property
    def ends(self) -> tuple[str, str]:
        """The invoices of the first row and of the last."""
        invoices = self.block.invoices
        return invoices.values[invoices.codes[self.start]], invoices.values[invoices.codes[self.end - 1]]

    def invoice_starts(self) -> list[int]:
        """Which rows, the first left out, have another invoice than the row before."""
        codes = self.block.invoices.codes[self.start : self.end]
        starts: list[int] = (np.flatnonzero(codes[1:] != codes[:-1]) + 1).tolist()
        return starts


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Some rows in the file's order, which may come from several blocks. Taking a part copies no row."""

    stretches: tuple[RowSpan, ...] = ()

    def __len__(self) -> int:
        return sum(map(len, self.stretches))

    def part(self, start: int, end: int) -> "Rows":
        parts = [each.part(start - before, end - before) for each, before in self._placed()]
        return Rows(tuple(part for part in parts if part))

    def concat(self, more: "Rows") -> "Rows":
        return Rows(self.stretches + more.stretches)

    def ndjson(self) -> memoryview:
        """The JSON of all rows, with line breaks between them."""
        return memoryview(b"".join(chain.from_iterable(each.texts() for each in self.stretches)))[1:]

    def sizes(self) -> NDArray[np.int64]:
        """Bytes of each row's JSON with its line break."""
        return np.concatenate([each.sizes() for each in self.stretches])

    def invoice_starts(self) -> Iterator[int]:
        """Which rows, the first left out, have another invoice than the row before."""
        last: str | None = None
        for each, before in self._placed():
            if before and each.ends[0] != last:
                yield before
            yield from (before + start for start in each.invoice_starts())
            last = each.ends[1]

    def line(self, index: int) -> int:
        """The line of the file that a row begins on; -1 is the last row, as in a list."""
        stretch, place = self._place(index)
        return int(stretch.block.records.lines[place])

    def original(self, index: int) -> bytes:
        """A row as the file has it."""
        stretch, place = self._place(index)
        return stretch.block.records.text(place)

    @property
    def fraction(self) -> float:
        """How much of the file was read when the last of these rows was."""
        stretch, place = self._place(-1)
        return stretch.block.fraction(place)

    def _placed(self) -> Iterator[tuple[RowSpan, int]]:
        """Each stretch, and how many rows are before it."""
        before = 0
        for each in self.stretches:
            yield each, before
            before += len(each)

    def _place(self, index: int) -> tuple[RowSpan, int]:
        index = index % len(self)
        stretch, before = next(pair for pair in self._placed() if index < pair[1] + len(pair[0]))
        return stretch, stretch.start + index - before
