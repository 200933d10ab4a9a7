"""Numbers rows that repeat: the n-th row of a file with exactly this content gets the number n.

A row is known by a hash of 128 bits. Among ten thousand million different rows, the chance that any two have the same
is below 1e-18, so no row gets another row's number. Each distinct text of a column is hashed by two keys of the column
(SipHash, 64 bits each). A row's hash is the sum of its texts' hashes, which numpy adds for all rows at once.

The counts are in a hash table with open addressing. A slot takes 20 bytes and at most two thirds of the slots are
used, so each different row of the file takes 30 to 60 bytes, and half as much again for a moment when the table grows.
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
_SLOTS_AT_A_TIME = 1 << 16  # when the table grows: to move all at once would need more memory than the table
_KEY_BYTES = 16  # of SipHash


class Hashes(NamedTuple):
    """128 bits for each row, as two columns of 64: numpy compares and moves plain columns fastest."""

    high: _Numbers
    low: _Numbers

    def at(self, places: _Places) -> "Hashes":
        return Hashes(self.high[places], self.low[places])


class Repeats:
    """How often each row was seen so far. Order does not matter: a shuffled file gets the same numbers."""

    def __init__(self) -> None:
        self._slots = _Slots(_FIRST_SLOTS)

    def number(self, columns: Mapping[str, Column]) -> _Places:
        """The number of each row, from 1. The texts must be in normal form; all calls must have the same columns."""
        hashes = row_hashes(columns)
        codes = _codes(hashes)
        counts = np.bincount(codes)
        keys = hashes.at(any_row_of_each(codes, len(counts)))
        self._slots = self._slots.with_room_for(len(counts))
        numbers = self._slots.add(keys, counts)[codes] + 1
        _add_repeats(numbers, codes, np.flatnonzero(counts[codes] > 1))
        return numbers


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
    digits = blake2b(name.encode(), digest_size=_KEY_BYTES).hexdigest()
    return digits[:_KEY_BYTES], digits[_KEY_BYTES:]


def _codes(hashes: Hashes) -> _Places:
    """A code for each row; equal hashes have equal codes."""
    high, _ = pd.factorize(hashes.high)
    low, values = pd.factorize(hashes.low)
    codes, _ = pd.factorize(high * len(values) + low)
    return codes


def _add_repeats(numbers: _Places, codes: _Places, repeated: _Places) -> None:
    """Add to each of the `repeated` rows how many rows before it have the same code."""
    order = repeated[np.argsort(codes[repeated], stable=True)]
    firsts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    sizes = np.diff(firsts, append=len(order))
    numbers[order] += np.arange(len(order)) - np.repeat(firsts, sizes)


class _Slots:
    """A count for each hash. A slot is free while its count is 0."""

    def __init__(self, size: int) -> None:
        self._keys = Hashes(np.zeros(size, np.uint64), np.zeros(size, np.uint64))
        self._counts = np.zeros(size, np.uint32)
        self._used = 0

    def with_room_for(self, more: int) -> "_Slots":
        """These slots, or larger ones with the same counts, where so many more hashes would leave too few free."""
        old_size = size = len(self._counts)
        while (self._used + more) * 3 > size * 2:
            size *= 2
        if size == old_size:
            return self
        larger = _Slots(size)
        for start in range(0, old_size, _SLOTS_AT_A_TIME):
            used = start + np.flatnonzero(self._counts[start : start + _SLOTS_AT_A_TIME])
            larger.add(self._keys.at(used), self._counts[used].astype(np.int64))
        return larger

    def add(self, keys: Hashes, counts: _Places) -> _Places:
        """Add to the counts of these keys, all of them different, and return the counts before."""
        before = np.zeros(len(counts), np.int64)
        left = np.arange(len(counts))
        steps = keys.low.astype(np.int64) | 1  # per key (double hashing): keys that collide once do not collide again
        places = self._wrap(keys.high.astype(np.int64))
        while len(left):
            found = self._claim(keys.at(left), places)
            mine, here = left[found], places[found]
            before[mine] = self._counts[here]
            self._counts[here] += counts[mine].astype(np.uint32)
            left, places = left[~found], self._wrap(places[~found] + steps[left[~found]])
        self._used += int(np.count_nonzero(before == 0))
        return before

    def _claim(self, keys: Hashes, places: _Places) -> NDArray[np.bool_]:
        """Put keys into free places, and tell which keys are at their place now. Of several that want one place, the
        last one gets it.
        """
        free = np.flatnonzero(self._counts[places] == 0)
        self._keys.high[places[free]] = keys.high[free]
        self._keys.low[places[free]] = keys.low[free]
        held = self._keys.at(places)
        is_held: NDArray[np.bool_] = (held.high == keys.high) & (held.low == keys.low)
        return is_held

    def _wrap(self, places: _Places) -> _Places:
        return places & (len(self._counts) - 1)
