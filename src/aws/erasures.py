"""Which customers were erased: `erased/customers.json` in the bucket, which consumers read at most every 10 seconds.

    {"key": "8c1f…", "statements": [{"customer": "5d0e…", "begun_at": 1764126000, "ended_at": 1764126190, …}]}

`customer` is a hash of the customer's id under the secret key `key`. Without the key nobody can find the few digits
of an id by trying them all. Key and hashes are in one object: to apply the statements one needs both, and whoever may
read the object may also read the archive.

A statement is about every row that arrived before `ended_at`. While the erasure runs there is no end: it is about every
row. So a row of the customer that arrives meanwhile is not stored in a place that the erasure has cleaned already.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from botocore.exceptions import ClientError

from aws.bucket import ERASED, Bucket
from aws.errors import error_code

STATEMENTS_KEY = f"{ERASED}customers.json"

CACHE_SECONDS = 10
"""For so long a consumer uses what it has read."""

_HASH_BYTES = 16
_OCCURRENCES = 999_999_999


@dataclass(frozen=True, slots=True)
class Statement:
    """`ended_at` is None while the erasure runs. Both times are in seconds since 1970, in whole seconds."""

    customer: str
    begun_at: int
    ended_at: int | None
    keeps_lines: bool


@dataclass(frozen=True, slots=True)
class ErasedCustomers:
    """The customers whose rows are erased, by the keyed hash of their ids."""

    key: bytes
    statements: dict[str, Statement]

    def keeps_lines(self, customer_id: str) -> bool | None:
        """Whether the customer's lines are kept without the customer; None for a customer who is not erased."""
        statement = self.statements.get(keyed_hash(self.key, customer_id))
        return statement.keeps_lines if statement else None

    def occurrence(self, line_id: str) -> int:
        """The new Occurrence of a line that is kept."""
        return 1 + int(keyed_hash(self.key, line_id), 16) % _OCCURRENCES


@dataclass(frozen=True, slots=True)
class Erasures:
    """Every statement, the oldest first."""

    key: bytes = b""
    statements: Sequence[Statement] = field(default=())

    def covering(self, arrived_at: float | None) -> ErasedCustomers | None:
        """The customers whose rows are erased if they arrived then; None where there is none, as nearly always.

        Of several statements about a customer the oldest decides, as it did when the row was erased first. `arrived_at`
        None means that nobody knows when the rows arrived: they count as old.
        """
        found: dict[str, Statement] = {}
        for each in self.statements:
            if each.ended_at is None or arrived_at is None or arrived_at < each.ended_at:
                found.setdefault(each.customer, each)
        return ErasedCustomers(self.key, found) if found else None


def keyed_hash(key: bytes, text: str) -> str:
    return blake2b(text.encode(), key=key, digest_size=_HASH_BYTES).hexdigest()


class ErasureList:
    """Reads the statements. `now` is in seconds since 1970."""

    def __init__(self, bucket: Bucket, now: Callable[[], float] = time.time) -> None:
        self._bucket = bucket
        self._now = now
        self._cached: tuple[float, Erasures] | None = None

    def current(self) -> Erasures:
        """The statements as they were at most 10 seconds ago. Raises Retryable: without them nothing may be stored."""
        if self._cached is None or not 0 <= self._now() - self._cached[0] < CACHE_SECONDS:
            read_at = self._now()
            self._cached = (read_at, self.read())
        return self._cached[1]

    def covering_object(self, key: str) -> ErasedCustomers | None:
        """The customers whose rows are erased from this object. Ask before you read it: it may be written again."""
        erasures = self.current()
        if not erasures.statements:
            return None
        written_at = next((each.written_at for each in self._bucket.objects(key) if each.key == key), None)
        return erasures.covering(written_at.timestamp() if written_at else None)

    def read(self) -> Erasures:
        """The statements as they are now. Raises Retryable."""
        try:
            return parse_erasures(self._bucket.read(STATEMENTS_KEY))
        except ClientError as error:
            if error_code(error) != "NoSuchKey":
                raise
            return Erasures()


def parse_erasures(body: bytes) -> Erasures:
    document = json.loads(body)
    return Erasures(bytes.fromhex(document["key"]), tuple(Statement(**each) for each in document["statements"]))
