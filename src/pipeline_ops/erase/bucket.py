"""Erases a customer from the bucket: from every version of every object.

The latest version of an object is written again without the customer, and then its old version is deleted. An old
version that names the customer is deleted.
"""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import Any

from pydantic import TypeAdapter
from rich.progress import Progress

from aws.bucket import (
    RAW,
    Bucket,
    DeadLetter,
    DeadLetterDocument,
    DeadLetterStore,
    ObjectVersion,
    batch_id_of,
    is_second_body,
    redriven_key,
    second_body_key,
)
from aws.rejections import decode, encode, rejection_id_of
from invoices.batch import pack, unpack
from invoices.erasure import erase_rows, is_all_erased, is_of_customer, names_customer
from invoices.errors import Rejected
from invoices.limits import MAX_BODY_BYTES
from pipeline_ops.dead_letters import RedrivenDocument, payload_rows, without_customers
from pipeline_ops.erase.found import Found, Store, Target
from pipeline_ops.errors import OpsError

_THREADS = 8
_VERSIONS_AT_ONCE = 200

_DEAD_LETTER = TypeAdapter(DeadLetterDocument)
_REDRIVEN = TypeAdapter(RedrivenDocument)

_PAYLOAD = re.compile(rb'(?:payload_base64|data)[\\"]+\s*:\s*[\\"]+([A-Za-z0-9+/]+)')
"""In a dead letter, and in the text within Lambda's document."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """An object without the customer: `body` None where nothing is left of it. `rows` have changed or are gone."""

    rows: int
    key: str
    body: bytes | None = None
    content_type: str = "application/json"


Clean = Callable[[Target, str, bytes], Cleaned | None]
"""Takes the key and the bytes of an object. None where it does not name the customer."""


def erase_from_bucket(bucket: Bucket, target: Target, found: Found, bar: Progress) -> None:
    """The archive first, then what was made from it. Raises Retryable; a second run does the rest."""
    for store, clean in _CLEANERS.items():
        versions = list(bucket.versions(store.value))
        with ThreadPoolExecutor(_THREADS) as threads:
            erase = _eraser(bucket, target, clean)
            tracked = bar.track(_in_order(threads, erase, versions), len(versions), description=f"{store}, versions")
            for version, rows in tracked:
                if rows is not None:
                    found.add(store if version.is_latest else Store.OLD_VERSIONS, rows)


def _in_order(
    threads: ThreadPoolExecutor, erase: Callable[[ObjectVersion], int | None], versions: Sequence[ObjectVersion]
) -> Iterator[tuple[ObjectVersion, int | None]]:
    """A few versions at a time, so that an error stops the rest soon."""
    for start in range(0, len(versions), _VERSIONS_AT_ONCE):
        chunk = versions[start : start + _VERSIONS_AT_ONCE]
        yield from zip(chunk, threads.map(erase, chunk), strict=True)


def _eraser(bucket: Bucket, target: Target, clean: Clean) -> Callable[[ObjectVersion], int | None]:
    def erase(version: ObjectVersion) -> int | None:
        cleaned = clean(target, version.key, bucket.content_of(version))
        if cleaned is None:
            return None
        if not target.dry_run:
            _carry_out(bucket, version, cleaned)
        return cleaned.rows

    return erase


def _carry_out(bucket: Bucket, version: ObjectVersion, cleaned: Cleaned) -> None:
    """The old version must not be the latest when it is deleted: an older one would come back in its place."""
    if version.is_latest:
        if version.key.startswith(RAW) and cleaned.body is not None:
            _delete_equal_body(bucket, version.key, cleaned.body)
        new = bucket.put(cleaned.key, cleaned.body, cleaned.content_type) if cleaned.body is not None else None
        if cleaned.body is not None and new is None and cleaned.key == version.key:
            return  # without versions the new object has replaced the old one
        if cleaned.body is None or cleaned.key != version.key:
            bucket.delete(version.key)
    bucket.delete_version(version)


def _delete_equal_body(bucket: Bucket, key: str, body: bytes) -> None:
    """A record that was delivered again during the erasure found another first body and was stored beside it."""
    beside = second_body_key(batch_id_of(key), body)
    if not is_second_body(key) and bucket.exists(beside):
        bucket.delete(beside)


def _clean_raw(target: Target, key: str, data: bytes) -> Cleaned | None:
    """A body that is not the batch's first has a hash of its rows in its key, so the key changes with them."""
    if not _may_hold(target, data):
        return None
    batch_id = batch_id_of(key)
    body, rows = erase_rows(data, batch_id, target.customers)
    if not rows:
        return None
    return Cleaned(rows, second_body_key(batch_id, body) if is_second_body(key) else key, body, "application/x-ndjson")


def _may_hold(target: Target, data: bytes) -> bool:
    try:
        return target.may_be_in(unpack(data, MAX_BODY_BYTES))
    except Rejected:
        return True


def _clean_dead_letter(target: Target, key: str, data: bytes) -> Cleaned | None:
    try:
        document = _DEAD_LETTER.validate_json(data)
        dead_letter, rows = _without_customer(target, document)
    except (ValueError, OpsError, Rejected):
        return _clean_unreadable(target, key, data)
    if not rows:
        return None
    if dead_letter is None:
        return Cleaned(rows, key)
    new = replace(document, errors=dead_letter.errors, payload_base64=b64encode(dead_letter.payload).decode())
    return Cleaned(rows, _dead_letter_key(new), json.dumps(asdict(new), indent=2).encode())


def _clean_redriven(target: Target, key: str, data: bytes) -> Cleaned | None:
    """Both the dead letter in it and the rows that were stored, which a fix may have changed."""
    try:
        document = _REDRIVEN.validate_json(data)
        dead_letter, dead_rows = _without_customer(target, document)
        kept, changed = without_customers(document, target.customers)
    except (ValueError, OpsError, Rejected):
        return _clean_unreadable(target, key, data)
    rows = dead_rows + changed
    if not rows:
        return None
    if not kept:
        return Cleaned(rows, key)
    if changed == len(document.rows):
        # No other row was stored. What the dead letter still names waits in failed/, and must not seem redriven.
        dead_letter = DeadLetter(pack(b"\n".join(row.text.encode() for row in kept)), document.reason)
    left = dead_letter or DeadLetter(pack(b""), document.reason)
    new = replace(document, errors=left.errors, payload_base64=b64encode(left.payload).decode(), rows=kept)
    return Cleaned(rows, redriven_key(_dead_letter_key(new)), _REDRIVEN.dump_json(new, indent=2))


def _dead_letter_key(document: DeadLetterDocument) -> str:
    """The key that the stage gives the same rows when their record is delivered again."""
    dead_letter = DeadLetter(document.payload, document.reason, document.errors)
    return DeadLetterStore.key_of(document.stage, document.batch_id, dead_letter)


def _without_customer(target: Target, document: DeadLetterDocument) -> tuple[DeadLetter | None, int]:
    """The dead letter without the customer's rows, None where no row is left, and how many rows went."""
    if not document.errors:
        payload, rows = erase_rows(document.payload, document.batch_id, target.customers)
        return (None if rows and is_all_erased(payload) else DeadLetter(payload, document.reason)), rows
    all_rows = payload_rows(document)
    left = [row for row in all_rows if not is_of_customer(row.text, target.customers)]
    if not left:
        return None, len(all_rows)
    indexes = {row.index for row in left}
    errors = tuple(error for error in document.errors if error.index in indexes)
    payload = pack(b"\n".join(row.text for row in left))
    return DeadLetter(payload, document.reason, errors), len(all_rows) - len(left)


def _clean_discarded(target: Target, key: str, data: bytes) -> Cleaned | None:
    """Lambda's document holds the whole event as text."""
    try:
        document = json.loads(data)
        event = json.loads(document["payload"])
        rows = sum(_clean_delivered(target, record["kinesis"]) for record in event["Records"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return _clean_unreadable(target, key, data)
    if not rows:
        return None
    return Cleaned(rows, key, json.dumps({**document, "payload": json.dumps(event)}).encode())


def _clean_delivered(target: Target, kinesis: dict[str, Any]) -> int:
    cleaned, rows = erase_rows(b64decode(kinesis["data"]), kinesis["partitionKey"], target.customers)
    kinesis["data"] = b64encode(cleaned).decode()
    return rows


def _clean_rejected(target: Target, key: str, data: bytes) -> Cleaned | None:
    """Rows that the API rejected, and what was resent in their place. The summary stays: it has no values of rows."""
    try:
        rejection = decode(rejection_id_of(key), data)
    except (ValueError, KeyError, TypeError, Rejected):
        return Cleaned(1, key) if erase_rows(data, "", target.customers)[1] else None
    left = [row for row in rejection.rows if not any(is_of_customer(text, target.customers) for text in row.texts)]
    if len(left) == len(rejection.rows):
        return None
    return Cleaned(len(rejection.rows) - len(left), key, encode(rejection.with_rows(left)), "application/gzip")


def _clean_unreadable(target: Target, key: str, data: bytes) -> Cleaned | None:
    """Nobody can redrive such a document. It is deleted if it names the customer, itself or in a payload."""
    is_named = names_customer(data, target.customers) or any(
        erase_rows(payload, "", target.customers)[1] for payload in _payloads(data)
    )
    return Cleaned(1, key) if is_named else None


def _payloads(document: bytes) -> Iterator[bytes]:
    """Every payload that can be found. A single last digit of base64 holds no byte, so it is left out."""
    for found in _PAYLOAD.finditer(document):
        digits = found.group(1)
        yield b64decode(digits[: -1 if len(digits) % 4 == 1 else None] + b"==")


_CLEANERS: Mapping[Store, Clean] = {
    Store.RAW: _clean_raw,
    Store.FAILED: _clean_dead_letter,
    Store.REDRIVEN: _clean_redriven,
    Store.DISCARDED: _clean_discarded,
    Store.REJECTED: _clean_rejected,
}
"""What is cleaned, in this order, and how. A store's value is the prefix of its keys."""
