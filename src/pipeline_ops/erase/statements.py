"""Writes the statement of an erasure: its beginning before anything is erased, its end after everything is."""

import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

from botocore.exceptions import ClientError

from aws.bucket import Bucket
from aws.erasures import STATEMENTS_KEY, ErasedCustomers, Erasures, Statement, keyed_hash, parse_erasures
from aws.errors import error_code, translate_errors
from invoices.errors import Unavailable
from pipeline_ops.errors import OpsError

_KEY_BYTES = 32
_ATTEMPTS = 10


@dataclass(frozen=True)
class Begun:
    """An erasure that runs. `continues` says that an earlier run did not end."""

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

    def begin(self, customer_id: str, now: int, *, keeps_lines: bool) -> Begun:
        """From now on no consumer stores a row of the customer. Raises OpsError if an erasure of another kind runs."""
        for _ in range(_ATTEMPTS):
            erasures, etag = self._read()
            key = erasures.key or self.random_bytes(_KEY_BYTES)
            name = keyed_hash(key, customer_id)
            running = [each for each in erasures.statements if each.customer == name and each.ended_at is None]
            if running and running[0].keeps_lines != keeps_lines:
                raise OpsError(f"An erasure that began with {_option(running[0])} has not ended. End it first.")
            statement = running[0] if running else Statement(name, now, None, keeps_lines)
            begun = Begun(statement, ErasedCustomers(key, {name: statement}), continues=bool(running))
            if running or self._write(Erasures(key, (*erasures.statements, statement)), etag):
                return begun
        raise Unavailable("too many erasures begin at once")

    def end(self, begun: Begun, ended_at: int) -> None:
        """Rows of the customer that arrive at `ended_at` or later are stored again."""
        for _ in range(_ATTEMPTS):
            erasures, etag = self._read()
            statements = [_ended(each, begun.statement, ended_at) for each in erasures.statements]
            if self._write(Erasures(erasures.key, statements), etag):
                return
        raise Unavailable("too many erasures end at once")

    def _read(self) -> tuple[Erasures, str | None]:
        try:
            with translate_errors("S3"):
                answer = self.bucket.s3.get_object(Bucket=self.bucket.name, Key=STATEMENTS_KEY)
                return parse_erasures(answer["Body"].read()), answer["ETag"]
        except ClientError as error:
            if error_code(error) != "NoSuchKey":
                raise
            return Erasures(), None

    def _write(self, erasures: Erasures, etag: str | None) -> bool:
        """False where somebody else wrote it since `etag`, or created it."""
        body = _document(erasures.key, erasures.statements)
        put = self.bucket.s3.put_object
        try:
            with translate_errors("S3"):
                if etag is None:
                    put(Bucket=self.bucket.name, Key=STATEMENTS_KEY, Body=body, IfNoneMatch="*")
                else:
                    put(Bucket=self.bucket.name, Key=STATEMENTS_KEY, Body=body, IfMatch=etag)
        except ClientError as error:
            if error_code(error) != "PreconditionFailed":
                raise
            return False
        return True


def _document(key: bytes, statements: Sequence[Statement]) -> bytes:
    return json.dumps({"key": key.hex(), "statements": [asdict(each) for each in statements]}).encode()


def _ended(each: Statement, statement: Statement, ended_at: int) -> Statement:
    return replace(each, ended_at=ended_at) if each == statement else each


def _option(statement: Statement) -> str:
    return "--keep-lines" if statement.keeps_lines else "no --keep-lines"
