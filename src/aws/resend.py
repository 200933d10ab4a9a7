"""Rejected rows that were mended are sent, each once: by an operator's command, or by a caller of the API.

A resend decides first: it writes the mended rows beside the rejected ones, into their object, on condition that nobody
else changed it. Only then all rows of the object that were ever decided go to the stream, as one batch that is named
after the object. At last the object notes that they were sent: the next resend does not send them again, unless there
are more. A row that was decided stays as it is. So a resend may be repeated or stop at any moment, and each row
counts once: rows with `Occurrence` by their content, the others by the name of the batch and their number in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from aws.bucket import Bucket
from aws.erasures import STATEMENTS_KEY, ErasureList
from aws.rejections import Rejection, RejectionStore
from aws.stream import PutRecord
from invoices.batch import pack_record
from invoices.erasure import is_of_customer
from invoices.errors import TooLarge
from invoices.limits import MAX_BODY_BYTES


class ChangedMeanwhile(Exception):
    """Somebody else decided about rows of the rejection since it was read, and nothing was sent."""


class CustomerErased(Exception):
    """The rejection has rows of a customer who was erased after they arrived."""


@dataclass(frozen=True, slots=True)
class Resent:
    """`rows` were decided now, `before` were decided before; all of them are in the batch."""

    batch_id: str
    rows: int
    before: int


def resend(
    store: RejectionStore,
    put_record: PutRecord,
    found: tuple[Rejection, str],
    mended: Mapping[int, bytes],
    *,
    dry_run: bool = False,
) -> Resent:
    """Send valid rows in place of rejected ones that were not resent before, by their index.

    `found` is what `store.read` returned. Raises ChangedMeanwhile, CustomerErased, TooLarge, or Retryable: then run it
    again.
    """
    rejection, etag = found
    after = rejection.with_rows([replace(row, resent=mended.get(row.index, row.resent)) for row in rejection.rows])
    _check_erased(store.bucket, after)
    before = rejection.summary.resent
    resent = Resent(f"resent-{rejection.id.rpartition('.')[2]}", after.summary.resent - before, before)
    if after.summary.resent and not after.summary.is_sent and not dry_run:
        record = _record(after)
        if resent.rows and not store.replace(after, etag):
            raise ChangedMeanwhile
        put_record(resent.batch_id, record)
        _note_sent(store, after)
    return resent


def _check_erased(bucket: Bucket, rejection: Rejection) -> None:
    """An erasure may have overlooked a request that arrived while it ran. Raises CustomerErased, or Retryable.

    The API's role may not list the whole bucket, so S3 would answer a read of a missing list with 403.
    """
    if not bucket.exists(STATEMENTS_KEY):
        return
    rejected_at = datetime.fromisoformat(rejection.summary.rejected_at).timestamp()
    customers = ErasureList(bucket).read().covering(rejected_at)
    if customers and any(is_of_customer(text, customers) for row in rejection.rows for text in row.texts):
        raise CustomerErased("the request has rows of a customer who was erased after they arrived")


def _record(rejection: Rejection) -> bytes:
    """Every row that was ever decided: without Occurrence a row is known by its number among these."""
    text = b"\n".join(row.resent for row in rejection.rows if row.resent is not None)
    if len(text) > MAX_BODY_BYTES:
        raise TooLarge("the mended rows are too large together", limit=MAX_BODY_BYTES, actual=len(text))
    return pack_record(text)


def _note_sent(store: RejectionStore, sent: Rejection) -> None:
    """Unless somebody decided about more rows meanwhile, which are not sent with these."""
    found = store.read(sent.id)
    if found and found[0].rows == sent.rows:
        rejection, etag = found
        store.replace(replace(rejection, summary=replace(rejection.summary, is_sent=True)), etag)
