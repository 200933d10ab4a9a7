"""Other producers: anybody can put a record on the stream. Each record is made with what must become of it."""

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import TypeAlias

from chaos.rows import COLUMNS, MARK, GeneratedRow, Statement, statements_of, valid_rows

_FIRST_BYTES_OF_GZIP = b"\x1f\x8b\x08"
_TOO_MANY_ROWS = 10_001
_TOO_MANY_BYTES = 4 * 1024 * 1024 + 1
_SHARE_OF_REQUESTS = 0.3
_SHARE_PUT_TWICE = 0.2
_SHARE_OF_STATEMENTS = 0.5
_SHARE_TAKEN_BACK = 0.7
_FIRST_INSTANT = datetime(2026, 11, 26, 9, tzinfo=UTC)
_ZONES = (UTC, timezone(timedelta(hours=2)))
_INVALID_FIELDS: tuple[Mapping[str, object], ...] = (
    {"Quantity": MARK},
    {"InvoiceNo": None},
    {"UnitPrice": True},
    {"Discount": "0.1"},
    {"Country": 7.5},
    {"Occurrence": 0},
)


@dataclass(frozen=True, slots=True)
class Record:
    """A record of any producer and what must become of it.

    `statements` must be stored: about lines of its own, or of the file, or of the batch that it takes back, which has
    the same key. `failed_in` names the stages that make a dead letter of it: of all its bytes, or, where `bad_rows` are
    given, of exactly these rows. It `arrived` once or twice.
    """

    key: str
    data: bytes
    statements: Sequence[Statement] = ()
    takes_batch_back: bool = False
    failed_in: tuple[str, ...] = ()
    bad_rows: Sequence[bytes] = ()
    arrived: Sequence[float] = ()

    @property
    def is_batch(self) -> bool:
        """Whether it has lines of its own, which are known by its key."""
        return not self.takes_batch_back and any(isinstance(each.place, tuple) for each in self.statements)


@dataclass(slots=True)
class ForeignProducer:
    """Puts `left` records on the stream, some of them twice, through `put`, which meets no faults.

    `put` returns when the record arrived.

    `used_keys` are the batch ids of other producers, of which it may take one. `rows` are those of the file: some
    records take one of them back, or state it again, before or after the file's own record arrives.
    """

    put: Callable[[str, bytes], float]
    chance: Random
    left: int
    used_keys: Sequence[str]
    rows: Sequence[GeneratedRow]
    records: list[Record] = field(default_factory=list)

    def maybe_put(self) -> None:
        if self.left and self.chance.random() < _SHARE_OF_REQUESTS:
            self._put_one()

    def put_rest(self) -> None:
        while self.left:
            self._put_one()

    def _put_one(self) -> None:
        self.left -= 1
        own = f"foreign-{len(self.records)}"
        used = self.chance.choice(self.used_keys) if self.used_keys else own
        if self.chance.random() < _SHARE_OF_STATEMENTS:
            record = statements(self.rows, self.chance, own)
        elif (batches := [each for each in self.records if each.is_batch]) and self.chance.random() < _SHARE_TAKEN_BACK:
            record = batch_withdrawal(self.chance.choice(batches))
        else:
            record = self.chance.choice(_KINDS)(self.chance, own, used)
        times = 2 if self.chance.random() < _SHARE_PUT_TWICE else 1
        arrived = [self.put(record.key, record.data) for _ in range(times)]
        self.records.append(replace(record, arrived=arrived))


def statements(rows: Sequence[GeneratedRow], chance: Random, own_key: str) -> Record:
    """There are few instants, so that some statements are as of the same."""
    texts, made = [], []
    numbered = statements_of(rows)
    valid = [row for row in rows if row.fact]
    for place in chance.choices(range(len(valid)), k=chance.randint(1, 12)):
        as_of = chance.choice((None, *(_FIRST_INSTANT + timedelta(hours=hour) for hour in range(3))))
        statement = replace(numbered[place], as_of=as_of, withdrawn=chance.random() < 0.7)  # noqa: PLR2004 - a share
        values = {**_values(valid[place]), "Occurrence": statement.place, "Withdrawn": statement.withdrawn}
        values["AsOf"] = as_of and as_of.astimezone(chance.choice(_ZONES)).isoformat()
        texts.append(json.dumps(values).encode())
        made.append(statement)
    return Record(own_key, _packed(texts), statements=made)


def batch_withdrawal(batch: Record) -> Record:
    """Under the same key: the rows of the other have no Occurrence, so their key names them."""
    made = [replace(each, as_of=_FIRST_INSTANT, withdrawn=True) for each in batch.statements]
    said = {"AsOf": _FIRST_INSTANT.isoformat(), "Withdrawn": True}
    texts = [json.dumps({**each.fact._asdict(), **said}, default=str).encode() for each in made]
    return Record(batch.key, _packed(texts), made, takes_batch_back=True)


def no_gzip(chance: Random, own_key: str, _: str) -> Record:
    data = chance.choice((b"{}", f"{MARK},1,2".encode(), chance.randbytes(200).removeprefix(_FIRST_BYTES_OF_GZIP)))
    return Record(own_key, data, failed_in=("to_s3", "to_dynamodb"))


def broken_gzip(chance: Random, own_key: str, _: str) -> Record:
    whole = _packed(_json_rows(valid_rows(chance, 5)))
    data = chance.choice((whole[: len(whole) // 2], whole[:-1], whole + b"\0\0", _FIRST_BYTES_OF_GZIP + b"\0" * 40))
    return Record(own_key, data, failed_in=("to_dynamodb",))


def no_rows(chance: Random, own_key: str, _: str) -> Record:
    rows = [chance.choice((b"[]", b"1", f'"{MARK}"'.encode(), b"{", b"\xff\xfe", b"null")) for _ in range(3)]
    return Record(own_key, _packed(rows), failed_in=("to_dynamodb",), bad_rows=rows)


def some_bad_rows(chance: Random, own_key: str, _: str) -> Record:
    good = valid_rows(chance, 6)
    bad = [json.dumps({**_values(good[0]), **invalid}).encode() for invalid in chance.sample(_INVALID_FIELDS, 2)]
    rows = _json_rows(good) + bad
    chance.shuffle(rows)
    return Record(own_key, _packed(rows), statements_of(good, own_key), failed_in=("to_dynamodb",), bad_rows=bad)


def too_large(chance: Random, own_key: str, _: str) -> Record:
    rows = chance.choice((b"{}\n" * _TOO_MANY_ROWS, b" " * _TOO_MANY_BYTES))
    return Record(own_key, gzip.compress(rows, mtime=0), failed_in=("to_dynamodb",))


def bad_key(chance: Random, own_key: str, _: str) -> Record:
    key = chance.choice(("../../etc/passwd", "raw/x", " ", "käse", "a" * 65, f".{own_key}", "=")) + own_key[-4:]
    return Record(key, _packed(_json_rows(valid_rows(chance, 3))), failed_in=("to_s3", "to_dynamodb"))


def another_body(chance: Random, _: str, used_key: str) -> Record:
    """Other rows under the batch id of another batch."""
    rows = valid_rows(chance, 3)
    return Record(used_key, _packed(_json_rows(rows)), statements_of(rows, used_key))


def several_members(chance: Random, own_key: str, _: str) -> Record:
    """Two gzip files, joined, are one gzip file; blank lines are no rows."""
    first, second = valid_rows(chance, 3), valid_rows(chance, 3)
    data = _packed([*_json_rows(first), b"", b""]) + _packed(_json_rows(second))
    return Record(own_key, data, statements_of(first + second, own_key))


def nothing(_chance: Random, own_key: str, _: str) -> Record:
    return Record(own_key, _packed([]))


_Kind: TypeAlias = Callable[[Random, str, str], Record]
"""Called with a batch id of the record's own, and with one that another batch may have."""

POISON: tuple[_Kind, ...] = (no_gzip, broken_gzip, no_rows, too_large, bad_key)
"""The kinds of which not one row can be stored."""

_KINDS: tuple[_Kind, ...] = (*POISON, some_bad_rows, another_body, several_members, nothing)


def _values(row: GeneratedRow) -> dict[str, object]:
    return dict(zip(COLUMNS, row.texts, strict=True))


def _json_rows(rows: Sequence[GeneratedRow]) -> list[bytes]:
    return [json.dumps(_values(row)).encode() for row in rows]


def _packed(rows: Sequence[bytes]) -> bytes:
    return gzip.compress(b"\n".join(rows), mtime=0)
