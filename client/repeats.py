"""Numbers rows that repeat: the n-th row of a file with exactly this content gets the number n.

A row is known by 128 bits of hash. Among ten thousand million different rows the chance that any two share them is
below 1e-18, so a number that belongs to another row does not occur. Each text of a column is hashed once (blake2b,
another key for each column); a row's hash is the sum of its columns' hashes, which numpy adds for all rows at once.

The state is a hash table with open addressing: 20 bytes a slot and at most two thirds of the slots taken, so between
30 and 60 bytes for each different row of the file, and three times as much for a moment when it grows.
"""

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from client.table import Column

_Hashes: TypeAlias = NDArray[np.uint64]
_Counts: TypeAlias = NDArray[np.int64]

_FIRST_SLOTS = 1 << 16
_HASH_BYTES = 16


class Repeats:
    """How often each row was seen so far. Order does not matter: a shuffled file gets the same set of numbers."""

    def __init__(self) -> None:
        self._slots = _Slots(_FIRST_SLOTS)

    def number(self, columns: Mapping[str, Column]) -> _Counts:
        """The number of each row, from 1. Values must be canonical; all chunks must have the same columns."""
        hashes = row_hashes(columns)
        order = np.lexsort((hashes[:, 1], hashes[:, 0]))
        ordered = hashes[order]
        begins = np.append(np.ones(1, bool), (ordered[1:] != ordered[:-1]).any(axis=1))
        first = np.flatnonzero(begins)
        sizes = np.diff(np.append(first, len(order)))
        seen_before = self._add(ordered[first], sizes)
        numbers = np.empty(len(order), np.int64)
        numbers[order] = np.arange(1, len(order) + 1) - np.repeat(first - seen_before, sizes)
        return numbers

    def _add(self, keys: _Hashes, counts: _Counts) -> _Counts:
        if self._slots.would_be_crowded(len(keys)):
            self._slots = self._slots.grown(len(keys))
        return self._slots.add(keys, counts)


def row_hashes(columns: Mapping[str, Column]) -> _Hashes:
    """Two 64-bit numbers for each row, whatever the order of the columns."""
    total = np.zeros((1, 2), np.uint64)
    for name, column in columns.items():
        total = total + _text_hashes(name, column.values)[column.codes]
    return total


def _text_hashes(name: str, texts: Iterable[str]) -> _Hashes:
    key = name.encode()
    digests = b"".join(blake2b(text.encode(), digest_size=_HASH_BYTES, key=key).digest() for text in texts)
    return np.frombuffer(digests, np.uint64).reshape(-1, 2)


class _Slots:
    """Counts by hash. A slot is free while its count is 0."""

    def __init__(self, size: int) -> None:
        self._keys = np.zeros((size, 2), np.uint64)
        self._counts = np.zeros(size, np.uint32)
        self._taken = 0

    def would_be_crowded(self, more: int) -> bool:
        return (self._taken + more) * 3 > len(self._counts) * 2

    def grown(self, more: int) -> "_Slots":
        size = len(self._counts)
        while (self._taken + more) * 3 > size * 2:
            size *= 2
        larger = _Slots(size)
        taken = np.flatnonzero(self._counts)
        larger.add(self._keys[taken], self._counts[taken].astype(np.int64))
        return larger

    def add(self, keys: _Hashes, counts: _Counts) -> _Counts:
        """Add to the counts of these keys, which must be different from each other; gives the counts before."""
        before = np.zeros(len(keys), np.int64)
        left = np.arange(len(keys))
        places = self._wrapped(keys[:, 0])
        while len(left):
            found = self._claim(keys[left], places)
            mine, here = left[found], places[found]
            before[mine] = self._counts[here]
            self._counts[here] += counts[mine].astype(np.uint32)
            left, places = left[~found], self._wrapped(places[~found] + np.uint64(1))
        self._taken += int(np.count_nonzero(before == 0))
        return before

    def _claim(self, keys: _Hashes, places: _Hashes) -> NDArray[np.bool_]:
        """Which keys stand at their place now. Where several want one free place, the last one gets it."""
        free = self._counts[places] == 0
        self._keys[places[free]] = keys[free]
        stands: NDArray[np.bool_] = (self._keys[places] == keys).all(axis=1)
        return stands

    def _wrapped(self, places: _Hashes) -> _Hashes:
        return places & np.uint64(len(self._counts) - 1)
