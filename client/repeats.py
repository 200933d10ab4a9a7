"""Numbers rows that repeat: the n-th row of a file with exactly this content gets the number n.

A row is known by 128 bits of hash. Among ten thousand million different rows the chance that any two share them is
below 1e-18, so a number that belongs to another row does not occur. Each distinct text of a column is hashed twice
(SipHash, whose 64 bits differ with its key; a key for each column and half); a row's hash is the sum of its columns'
hashes, which numpy adds for all rows at once.

The state is a hash table with open addressing: 20 bytes a slot and at most two thirds of the slots taken, so between
30 and 60 bytes for each different row of the file, and half as much again for a moment when it grows.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import blake2b
from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from client.columns import Column, any_row_of_each

_Numbers: TypeAlias = NDArray[np.uint64]
_Places: TypeAlias = NDArray[np.int64]

_FIRST_SLOTS = 1 << 16
_KEY_BYTES = 16
_MOVED_AT_A_TIME = 1 << 16  # slots; all at once would need as much memory again


class Hashes(NamedTuple):
    """128 bits for each row, as two columns of 64: numpy compares and moves plain columns fastest."""

    high: _Numbers
    low: _Numbers

    def at(self, places: _Places) -> "Hashes":
        return Hashes(self.high[places], self.low[places])

    def equal(self, other: "Hashes") -> NDArray[np.bool_]:
        both: NDArray[np.bool_] = (self.high == other.high) & (self.low == other.low)
        return both


class Repeats:
    """How often each row was seen so far. Order does not matter: a shuffled file gets the same set of numbers."""

    def __init__(self) -> None:
        self._slots = _Slots(_FIRST_SLOTS)

    def number(self, columns: Mapping[str, Column]) -> _Places:
        """The number of each row, from 1. Values must be canonical; all chunks must have the same columns."""
        hashes = row_hashes(columns)
        codes = _distinct(hashes)
        counts = np.bincount(codes)
        numbers = self._add(hashes.at(any_row_of_each(codes, len(counts))), counts)[codes] + 1
        _count_on(numbers, codes, np.flatnonzero(counts[codes] > 1))
        return numbers

    def _add(self, keys: Hashes, counts: _Places) -> _Places:
        if self._slots.would_be_crowded(len(keys.high)):
            self._slots = self._slots.grown(len(keys.high))
        return self._slots.add(keys, counts)


def row_hashes(columns: Mapping[str, Column]) -> Hashes:
    """The hash of each row, whatever the order of the columns."""
    high, low = np.zeros(1, np.uint64), np.zeros(1, np.uint64)
    for name, column in columns.items():
        texts = _text_hashes(name, column.values).at(column.codes)
        high, low = high + texts.high, low + texts.low
    return Hashes(high, low)


def _text_hashes(name: str, texts: Sequence[str]) -> Hashes:
    values = np.array(texts, object)
    return Hashes(*(pd.util.hash_array(values, hash_key=key, categorize=False) for key in _keys(name)))


@cache
def _keys(name: str) -> tuple[str, str]:
    """SipHash takes keys of 16 bytes."""
    digits = blake2b(name.encode(), digest_size=_KEY_BYTES).hexdigest()
    return digits[:_KEY_BYTES], digits[_KEY_BYTES:]


def _distinct(hashes: Hashes) -> _Places:
    """A code for each row, equal where hashes are. One half is nearly always enough for it."""
    codes, values = pd.factorize(hashes.high)
    if not hashes.at(any_row_of_each(codes, len(values))[codes]).equal(hashes).all():
        low, values = pd.factorize(hashes.low)
        codes, _ = pd.factorize(codes * len(values) + low)
    return codes


def _count_on(numbers: _Places, codes: _Places, repeated: _Places) -> None:
    """Add to each of the repeated rows how many of its code are before it."""
    order = repeated[np.argsort(codes[repeated], stable=True)]
    firsts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    sizes = np.diff(firsts, append=len(order))
    numbers[order] += np.arange(len(order)) - np.repeat(firsts, sizes)


class _Slots:
    """Counts by hash. A slot is free while its count is 0."""

    def __init__(self, size: int) -> None:
        self._keys = Hashes(np.zeros(size, np.uint64), np.zeros(size, np.uint64))
        self._counts = np.zeros(size, np.uint32)
        self._taken = 0

    def would_be_crowded(self, more: int) -> bool:
        return (self._taken + more) * 3 > len(self._counts) * 2

    def grown(self, more: int) -> "_Slots":
        size = len(self._counts)
        while (self._taken + more) * 3 > size * 2:
            size *= 2
        larger = _Slots(size)
        for start in range(0, len(self._counts), _MOVED_AT_A_TIME):
            taken = start + np.flatnonzero(self._counts[start : start + _MOVED_AT_A_TIME])
            larger.add(self._keys.at(taken), self._counts[taken].astype(np.int64))
        return larger

    def add(self, keys: Hashes, counts: _Places) -> _Places:
        """Add to the counts of these keys, which must be different from each other; gives the counts before."""
        before = np.zeros(len(counts), np.int64)
        left = np.arange(len(counts))
        steps = keys.low.astype(np.int64) | 1  # one of its own for each key: who met once parts at the next slot
        places = self._wrapped(keys.high.astype(np.int64))
        while len(left):
            found = self._claim(keys.at(left), places)
            mine, here = left[found], places[found]
            before[mine] = self._counts[here]
            self._counts[here] += counts[mine].astype(np.uint32)
            left, places = left[~found], self._wrapped(places[~found] + steps[left[~found]])
        self._taken += int(np.count_nonzero(before == 0))
        return before

    def _claim(self, keys: Hashes, places: _Places) -> NDArray[np.bool_]:
        """Which keys stand at their place now. Where several want one free place, the last one gets it."""
        free = np.flatnonzero(self._counts[places] == 0)
        self._keys.high[places[free]] = keys.high[free]
        self._keys.low[places[free]] = keys.low[free]
        return self._keys.at(places).equal(keys)

    def _wrapped(self, places: _Places) -> _Places:
        return places & (len(self._counts) - 1)
