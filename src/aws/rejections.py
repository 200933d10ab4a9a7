"""Rejected rows: one object in the bucket for each request that had some, with their reasons.

    rejected/dt=<day>/<seconds>.<batch id>.<hash>.jsonl.gz

`seconds` is how long the day (UTC) goes on after the request, so S3 lists the latest request of a day first. The hash
is of the rejected rows. The time is the one in the batch id, if that is a UUIDv7 of the last hour, and else the hour of
the request. So a request that is repeated has the same key: within an hour of its UUIDv7, or else within the same hour
of the day. A later repetition is a rejection of its own, and its rows are counted again.

The object has two gzip members. The first is one line of JSON, the summary, so that a list reads only the beginning of
each object. The second has one line of JSON for each row.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from itertools import accumulate, islice
from typing import Any, TypeAlias

from botocore.exceptions import ClientError

from aws.bucket import REJECTED, Bucket
from aws.errors import error_code
from invoices.batch import batch_time, pack, unpack, unpack_first
from invoices.errors import RowError
from invoices.limits import MAX_KEPT_BYTES, MAX_KEPT_ROWS
from invoices.line import Line

REJECTION_ID_PATTERN = r"^\d{4}-\d{2}-\d{2}\.\d{5}\.[A-Za-z0-9][A-Za-z0-9._-]{0,63}\.[0-9a-f]{16}$"
"""Day, seconds, batch id and hash. For a JSON schema: in Python, `$` would also match before a line break."""

ROW = "row"
UNKNOWN_FIELD = "unknown field"

_REJECTION_ID = re.compile(REJECTION_ID_PATTERN.removesuffix("$") + r"\Z")
_SUFFIX = ".jsonl.gz"
_CONTENT_TYPE = "application/gzip"
_MAX_REASONS = 12
_READERS = 16
_LATEST = timedelta(hours=1)  # after the time in a batch id
_CLOCK_SKEW = timedelta(minutes=1)
_DAY_SECONDS = 86_400
_MOST_PREFIXES = 50
_MOST_OF_BATCH = 200
_SUMMARY_BYTES = 4_096  # more than a summary has: it holds at most 12 reasons, in words of ours
_OBJECT_BYTES = 40_000_000  # above 1 MB of rows, each of up to 6 escaped bytes, and four reasons for each of 5,000 rows


def field_label(field: str | None) -> str:
    """The field of an error as one of a few words: the name of an unknown field is text of the caller."""
    if field is None:
        return ROW
    return field if field in Line.model_fields else UNKNOWN_FIELD


@dataclass(frozen=True, slots=True)
class Reason:
    """In how many rows a field breaks a rule. `field` is a `field_label`."""

    field: str
    message: str
    rows: int


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """`text` has the bytes of the row as they were sent; `resent` those that went to the stream in its place."""

    index: int
    text: bytes
    errors: tuple[RowError, ...]
    resent: bytes | None = None

    @property
    def texts(self) -> tuple[bytes, ...]:
        """What was sent, and what was resent in its place."""
        return (self.text,) if self.resent is None else (self.text, self.resent)


@dataclass(frozen=True, slots=True)
class Summary:
    """`rejected` rows were in the request, and `kept` of them are in the object; `resent` counts those sent since.

    `rejected_at` is in UTC. `reasons` are the most frequent ones, over all rejected rows. `accepted` counts the
    other rows of the request: they are on the stream. `is_sent`: so are all rows that `resent` counts, for certain.
    """

    batch_id: str
    rejected_at: str
    rejected: int
    kept: int
    resent: int
    reasons: tuple[Reason, ...]
    accepted: int = 0
    is_sent: bool = False

    def has_reason(self, field: str | None, text: str | None) -> bool:
        """Whether one of the reasons is about this field and has this text in its message; None means any."""
        part = (text or "").lower()
        return any((field is None or each.field == field) and part in each.message.lower() for each in self.reasons)


@dataclass(frozen=True, slots=True)
class Rejection:
    """The rejected rows of one request. `id` names its object."""

    id: str
    summary: Summary
    rows: tuple[RejectedRow, ...]

    def with_rows(self, rows: Sequence[RejectedRow]) -> "Rejection":
        """The same rejection with these rows in place of its own; the summary counts them.

        If more of them are to be resent than before, they are not sent yet.
        """
        resent = sum(row.resent is not None for row in rows)
        is_sent = self.summary.is_sent and resent <= self.summary.resent
        return Rejection(self.id, replace(self.summary, kept=len(rows), resent=resent, is_sent=is_sent), tuple(rows))


def new_rejection(
    batch_id: str, rejected_at: datetime, texts: Mapping[int, bytes], errors: Sequence[RowError], accepted: int = 0
) -> Rejection:
    """Of the rows in `texts`, by their index, as many of the first as may be kept. `accepted` counts the other rows."""
    by_row: dict[int, list[RowError]] = {}
    for error in errors:
        by_row.setdefault(error.index, []).append(error)
    sizes = accumulate(map(len, texts.values()))
    fitting = [index for index, size in zip(texts, sizes, strict=True) if size <= MAX_KEPT_BYTES][:MAX_KEPT_ROWS]
    rows = tuple(RejectedRow(index, texts[index], tuple(by_row[index])) for index in fitting)
    moment = rejected_at.isoformat(timespec="seconds")
    summary = Summary(batch_id, moment, len(texts), len(rows), 0, _most_frequent(errors), accepted)
    place = _place(_filed_at(batch_id, rejected_at))
    return Rejection(f"{place}.{batch_id}.{_content_hash(batch_id, texts)}", summary, rows)


def _filed_at(batch_id: str, rejected_at: datetime) -> datetime:
    """The time in the key. It must be the same for a request that is repeated, as far as that is possible."""
    made_at = batch_time(batch_id)
    is_recent = rejected_at - _LATEST <= made_at <= rejected_at + _CLOCK_SKEW
    return made_at if is_recent else _hour(rejected_at)


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _place(moment: datetime) -> str:
    """The beginning of the id: the day, and the seconds until it ends."""
    passed = (moment.hour * 60 + moment.minute) * 60 + moment.second
    return f"{moment:%Y-%m-%d}.{_DAY_SECONDS - passed:05}"


def _content_hash(batch_id: str, texts: Mapping[int, bytes]) -> str:
    digest = blake2b(batch_id.encode(), digest_size=8)
    for index, text in texts.items():
        digest.update(b"\n%d " % index + text)
    return digest.hexdigest()


def _most_frequent(errors: Sequence[RowError]) -> tuple[Reason, ...]:
    reasons = dict.fromkeys((error.index, field_label(error.field), error.message) for error in errors)
    counts = Counter((field, message) for _, field, message in reasons)
    return tuple(Reason(field, message, rows) for (field, message), rows in counts.most_common(_MAX_REASONS))


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class RejectionStore:
    """`rejected/` in the bucket. Every method raises Retryable where S3 fails for a while."""

    bucket: Bucket
    now: Callable[[], datetime] = _now

    def keep(self, batch_id: str, texts: Mapping[int, bytes], errors: Sequence[RowError], accepted: int) -> None:
        """Keep the rejected rows of a request, by their index."""
        self.create(new_rejection(batch_id, self.now(), texts, errors, accepted))

    def create(self, rejection: Rejection) -> None:
        """Write a new object. If the request is a repeated one, the object of the first stays as it is."""
        self.bucket.create(_key(rejection.id), encode(rejection), _CONTENT_TYPE)

    def latest_first(
        self, first_day: str = "", last_day: str = "9999-12-31", before: str | None = None
    ) -> Iterator[str]:
        """The ids, the latest first; with `before`, an id, only those that follow it.

        S3 is asked once for the days, then once for each day and for each 1,000 ids of it, as far as the caller reads.
        """
        folders = [folder for folder in self.bucket.folders(f"{REJECTED}dt=") if first_day <= _day(folder) <= last_day]
        for folder in reversed(folders):
            if before is None or _day(folder) <= before[:10]:
                start = _key(before) if before is not None and _day(folder) == before[:10] else ""
                yield from (rejection_id_of(found.key) for found in self.bucket.objects(folder, start))

    def summaries(self, ids: Sequence[str]) -> Iterator[tuple[str, Summary]]:
        """Read some at a time, in the order of `ids`. Objects that expire meanwhile are left out."""
        with ThreadPoolExecutor(_READERS) as readers:
            found = readers.map(self.summary, ids)
            yield from ((each, summary) for each, summary in zip(ids, found, strict=True) if summary)

    def summary(self, rejection_id: str) -> Summary | None:
        """None where the object is gone. S3 says AccessDenied then, because the role may list only `rejected/`."""
        try:
            start = self.bucket.read_start(_key(rejection_id), _SUMMARY_BYTES)
        except ClientError as error:
            if error_code(error) not in {"NoSuchKey", "AccessDenied"}:
                raise
            return None
        return _summary(json.loads(unpack_first(start, _SUMMARY_BYTES)))

    def of_batch(self, batch_id: str, moments: Iterable[datetime]) -> list[Summary] | None:
        """Of the requests of this batch within a minute of these moments, or within an hour of the time in its id.

        None where there are more than 50 hours to look into or more than 200 objects to read.
        """
        around = [_hour(each + skew) for each in moments for skew in (-_CLOCK_SKEW, _CLOCK_SKEW)]
        places = {_place(each) for each in (batch_time(batch_id), *around)}
        if len(places) > _MOST_PREFIXES:
            return None
        found = (each for place in sorted(places) for each in self.bucket.objects(_key_start(f"{place}.{batch_id}.")))
        ids = list(islice((rejection_id_of(each.key) for each in found), _MOST_OF_BATCH + 1))
        if len(ids) > _MOST_OF_BATCH:
            return None
        # Behind the full stop there may also be the rest of a longer batch id.
        own = [each for each in ids if each.split(".", 2)[2].rpartition(".")[0] == batch_id]
        return [summary for _, summary in self.summaries(own)]

    def read(self, rejection_id: str) -> tuple[Rejection, str] | None:
        """The rejection, and its ETag for `replace`. None where there is none."""
        if not _REJECTION_ID.match(rejection_id) or not self.bucket.exists(_key(rejection_id)):
            return None
        try:
            body, etag = self.bucket.read_version(_key(rejection_id))
        except ClientError as error:
            _check_missing(error)
            return None
        return decode(rejection_id, body), etag

    def replace(self, rejection: Rejection, etag: str) -> bool:
        """Write the object again. False where somebody else changed it since it had this ETag."""
        return self.bucket.replace(_key(rejection.id), encode(rejection), _CONTENT_TYPE, etag)


OpenRejections: TypeAlias = Callable[[], RejectionStore | None]
"""Opens the store at its first use; None where rejected rows are not kept."""


def encode(rejection: Rejection) -> bytes:
    """The object's bytes."""
    summary = json.dumps(asdict(rejection.summary)).encode()
    rows = b"\n".join(json.dumps(_row_document(row)).encode() for row in rejection.rows)
    return pack(summary + b"\n") + pack(rows)


def decode(rejection_id: str, body: bytes) -> Rejection:
    summary, *rows = map(json.loads, unpack(body, _OBJECT_BYTES).splitlines())
    return Rejection(rejection_id, _summary(summary), tuple(map(_row, rows)))


def rejection_id_of(key: str) -> str:
    """The id of the rejection that has this key."""
    return f"{_day(key)}.{key.rpartition('/')[2].removesuffix(_SUFFIX)}"


def _row_document(row: RejectedRow) -> dict[str, object]:
    return {
        "index": row.index,
        "errors": [{"field": error.field, "message": error.message} for error in row.errors],
        "text": _text(row.text),
        **({"resent": _text(row.resent)} if row.resent is not None else {}),
    }


def _row(document: Mapping[str, Any]) -> RejectedRow:
    index, resent = document["index"], document.get("resent")
    errors = tuple(RowError(index, each["field"], each["message"]) for each in document["errors"])
    return RejectedRow(index, _bytes(document["text"]), errors, None if resent is None else _bytes(resent))


def _text(data: bytes) -> str:
    """Bytes that are not UTF-8 become lone surrogates, which JSON writes as escapes, so `_bytes` gets them back."""
    return data.decode(errors="surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")


def _summary(document: Mapping[str, Any]) -> Summary:
    return Summary(**{**document, "reasons": tuple(Reason(**each) for each in document["reasons"])})


def _key(rejection_id: str) -> str:
    return f"{_key_start(rejection_id)}{_SUFFIX}"


def _key_start(rejection_id: str) -> str:
    """The id has the day first: 10 characters and a full stop."""
    return f"{REJECTED}dt={rejection_id[:10]}/{rejection_id[11:]}"


def _day(key: str) -> str:
    return key.removeprefix(f"{REJECTED}dt=")[:10]


def _check_missing(error: ClientError) -> None:
    """Raise any other error."""
    if error_code(error) != "NoSuchKey":
        raise error
