"""Other producers: anybody may put a record on the stream. What each of them means is known when it is made."""

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TypeAlias

from chaos.shop import COLUMNS, MARK, Fact, ShopRow, facts_of, good_rows

_FIRST_BYTES_OF_GZIP = b"\x1f\x8b\x08"
_TOO_MANY_ROWS = 10_001
_TOO_MANY_BYTES = 4 * 1024 * 1024 + 1


@dataclass(frozen=True, slots=True)
class Foreign:
    """A record and what must become of it.

    `facts` are to be stored. `failed_in` names the stages that set it aside: all of its bytes, or, where `bad_rows`
    are given, exactly these.
    """

    key: str
    data: bytes
    facts: Sequence[Fact] = ()
    failed_in: tuple[str, ...] = ()
    bad_rows: Sequence[bytes] = field(default=())


_Kind: TypeAlias = Callable[[Random, str, str], Foreign]


def foreign_record(chance: Random, own_key: str, used_key: str) -> Foreign:
    """`own_key` is nobody else's batch id; `used_key` may be the id of a batch of our client's."""
    return chance.choice(_KINDS)(chance, own_key, used_key)


def no_gzip(chance: Random, own_key: str, _: str) -> Foreign:
    data = chance.choice((b"{}", f"{MARK},1,2".encode(), chance.randbytes(200).removeprefix(_FIRST_BYTES_OF_GZIP)))
    return Foreign(own_key, data, failed_in=("to_s3", "to_dynamodb"))


def broken_gzip(chance: Random, own_key: str, _: str) -> Foreign:
    whole = _packed(_json_rows(good_rows(chance, 5)))
    data = chance.choice((whole[: len(whole) // 2], whole[:-1], whole + b"\0\0", _FIRST_BYTES_OF_GZIP + b"\0" * 40))
    return Foreign(own_key, data, failed_in=("to_dynamodb",))


def no_rows(chance: Random, own_key: str, _: str) -> Foreign:
    rows = [chance.choice((b"[]", b"1", f'"{MARK}"'.encode(), b"{", b"\xff\xfe", b"null")) for _ in range(3)]
    return Foreign(own_key, _packed(rows), failed_in=("to_dynamodb",), bad_rows=rows)


def some_rows(chance: Random, own_key: str, _: str) -> Foreign:
    good = good_rows(chance, 6)
    bad = [json.dumps({**_values(good[0]), **fault}).encode() for fault in chance.sample(_FAULTS, 2)]
    rows = _json_rows(good) + bad
    chance.shuffle(rows)
    in_order = [row for row in rows if row in bad]
    return Foreign(own_key, _packed(rows), facts_of(good), ("to_dynamodb",), in_order)


def too_large(chance: Random, own_key: str, _: str) -> Foreign:
    rows = chance.choice((b"{}\n" * _TOO_MANY_ROWS, b" " * _TOO_MANY_BYTES))
    return Foreign(own_key, gzip.compress(rows, mtime=0), failed_in=("to_dynamodb",))


def bad_key(chance: Random, own_key: str, _: str) -> Foreign:
    key = chance.choice(("../../etc/passwd", "raw/x", " ", "käse", "a" * 65, f".{own_key}", "=")) + own_key[-4:]
    return Foreign(key, _packed(_json_rows(good_rows(chance, 3))), failed_in=("to_s3", "to_dynamodb"))


def another_body(chance: Random, _: str, used_key: str) -> Foreign:
    """The same batch id as another batch, with other rows."""
    rows = good_rows(chance, 3)
    return Foreign(used_key, _packed(_json_rows(rows)), facts_of(rows))


def several_members(chance: Random, own_key: str, _: str) -> Foreign:
    """Two gzip files joined are one gzip file; blank lines are no rows."""
    first, second = good_rows(chance, 3), good_rows(chance, 3)
    data = _packed([*_json_rows(first), b"", b""]) + _packed(_json_rows(second))
    return Foreign(own_key, data, facts_of(first + second))


def nothing(_chance: Random, own_key: str, _: str) -> Foreign:
    return Foreign(own_key, _packed([]))


_KINDS: tuple[_Kind, ...] = (
    no_gzip,
    broken_gzip,
    no_rows,
    some_rows,
    too_large,
    bad_key,
    another_body,
    several_members,
    nothing,
)
POISON: tuple[_Kind, ...] = (no_gzip, broken_gzip, no_rows, too_large, bad_key)
"""The kinds of which not one row can be stored."""

_FAULTS: tuple[Mapping[str, object], ...] = (
    {"Quantity": MARK},
    {"InvoiceNo": None},
    {"UnitPrice": True},
    {"Discount": "0.1"},
    {"Country": 7.5},
    {"Occurrence": 0},
)


def _values(row: ShopRow) -> dict[str, object]:
    return dict(zip(COLUMNS, row.texts, strict=True))


def _json_rows(rows: Sequence[ShopRow]) -> list[bytes]:
    return [json.dumps(_values(row)).encode() for row in rows]


def _packed(rows: Sequence[bytes]) -> bytes:
    return gzip.compress(b"\n".join(rows), mtime=0)
