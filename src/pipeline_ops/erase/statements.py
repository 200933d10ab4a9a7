"""Writes the statement of an erasure: its beginning before anything is erased, its end after everything is."""

import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from botocore.exceptions import ClientError

from aws.bucket import Bucket
from aws.erasures import STATEMENTS_KEY, ErasedCustomers, Erasures, Statement, keyed_hash, parse_erasures
from aws.errors import error_code
from invoices.errors import Unavailable
from pipeline_ops.errors import OpsError

_CONTENT_TYPE = "application/json"
_KEY_BYTES = 32
_ATTEMPTS = 10


@dataclass(frozen=True)
class RunningErasure:
    """`continues` says that an earlier run did not end."""

    statement: Statement
    customers: ErasedCustomers
    continues: bool


@dataclass(frozen=True)
class StatementWriter:
    """`erased/customers.json` in the bucket, which is written on condition that nobody else wrote it meanwhile.

    Every method raises Retryable where S3 fails.
    """

    bucket: Bucket
    random_bytes: Callable[[int], bytes] = secrets.token_bytes

    def customers_of(self, customer_id: str, *, keeps_lines: bool = False) -> ErasedCustomers:
        """This customer alone, without any statement: for a look that writes nothing."""
        erasures, _ = self._read()
        key = erasures.key or self.random_bytes(_KEY_BYTES)
        name = keyed_hash(key, customer_id)
        return ErasedCustomers(key, {name: Statement(name, 0, None, keeps_lines)})

    def begin(self, customer_id: str, now: int, *, keeps_lines: bool) -> RunningErasure:
        """From now on no consumer stores a row of the customer.

        Raises OpsError if an erasure of another customer or of another kind has not ended: each would write objects
        that it read before the other changed them.
        """
        for _ in range(_ATTEMPTS):
            erasures, etag = self._read()
            key = erasures.key or self.random_bytes(_KEY_BYTES)
            new = Statement(keyed_hash(key, customer_id), now, None, keeps_lines)
            running = [each for each in erasures.statements if each.ended_at is None]
            for each in running:
                _check_same_erasure(each, new)
            statement = running[0] if running else new
            if running or self._write(Erasures(key, (*erasures.statements, statement)), etag):
                customers = ErasedCustomers(key, {statement.customer: statement})
                return RunningErasure(statement, customers, continues=bool(running))
        raise Unavailable("too many erasures begin at once")

    def end(self, erasure: RunningErasure, ended_at: int) -> None:
        """Rows of the customer that arrive at `ended_at` or later are stored again."""
        old, new = erasure.statement, replace(erasure.statement, ended_at=ended_at)
        for _ in range(_ATTEMPTS):
            erasures, etag = self._read()
            statements = [new if each == old else each for each in erasures.statements]
            if self._write(Erasures(erasures.key, statements), etag):
                return
        raise Unavailable("too many erasures end at once")

    def _read(self) -> tuple[Erasures, str | None]:
        try:
            body, etag = self.bucket.read_version(STATEMENTS_KEY)
        except ClientError as error:
            if error_code(error) != "NoSuchKey":
                raise
            return Erasures(), None
        return parse_erasures(body), etag

    def _write(self, erasures: Erasures, etag: str | None) -> bool:
        """False where somebody else wrote it since `etag`, or created it."""
        document = {"key": erasures.key.hex(), "statements": [asdict(each) for each in erasures.statements]}
        body = json.dumps(document).encode()
        if etag is None:
            return self.bucket.create(STATEMENTS_KEY, body, _CONTENT_TYPE)
        return self.bucket.replace(STATEMENTS_KEY, body, _CONTENT_TYPE, etag)


def _check_same_erasure(running: Statement, new: Statement) -> None:
    if running.customer != new.customer:
        raise OpsError("An erasure of another customer has not ended. Run its command again first.")
    if running.keeps_lines != new.keeps_lines:
        option = "--keep-lines" if running.keeps_lines else "no --keep-lines"
        raise OpsError(f"An erasure that began with {option} has not ended. End it first.")
