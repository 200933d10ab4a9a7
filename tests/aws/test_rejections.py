"""Rejected rows in the bucket: what is kept, in which order it is listed, and what comes back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING
from unittest.mock import patch
from uuid import UUID

import pytest
from botocore.exceptions import ClientError

from aws.bucket import Bucket
from aws.rejections import Reason, Rejection, RejectionStore, Summary, decode, encode, new_rejection
from invoices.errors import RowError
from invoices.limits import MAX_KEPT_BYTES, MAX_KEPT_ROWS

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
MISSING = RowError(1, "Country", "is missing")
STRANGE = RowError(4, "Customer", "is not a known field (did you mean CustomerID?)")


def uuid7_of(moment: datetime) -> str:
    return str(UUID(int=round(moment.timestamp() * 1000) << 80 | 7 << 76 | 2 << 62))


def rejection(batch_id: str = "batch-1", day: int = 26, text: bytes = b"{}") -> Rejection:
    return new_rejection(batch_id, NOON.replace(day=day), {1: text}, [MISSING])


@pytest.fixture
def store(s3: "S3Client") -> RejectionStore:
    return RejectionStore(Bucket(s3, "raw-bucket"))


def test_a_rejection_comes_back_byte_for_byte() -> None:
    """Also a row that is neither JSON nor UTF-8, and what was sent in place of a row."""
    made = new_rejection(
        "batch-1", NOON, {1: b'{"Country": "\xff\\ud800\xc2\x85"}', 4: b"\xe2\x80\xa8"}, [MISSING, STRANGE]
    )
    first, second = made.rows
    resent = made.with_rows([first, replace(second, resent=b'{"a":1}')])
    assert decode(made.id, encode(made)) == made
    assert decode(made.id, encode(resent)) == resent
    assert (resent.summary.kept, resent.summary.resent) == (2, 1)


def test_the_summary_names_no_field_of_the_callers_own() -> None:
    """The name of an unknown field could be anything, and it is repeated wherever the summary is shown."""
    made = new_rejection("batch-1", NOON, {1: b"{}", 4: b"{}"}, [MISSING, STRANGE, RowError(4, None, "is wrong")])
    assert made.summary == Summary(
        batch_id="batch-1",
        rejected_at="2026-11-26T12:00:00+00:00",
        rejected=2,
        kept=2,
        resent=0,
        reasons=(
            Reason("Country", "is missing", 1),
            Reason("unknown field", STRANGE.message, 1),
            Reason("row", "is wrong", 1),
        ),
    )


@pytest.mark.parametrize(
    ("rows", "size", "kept"),
    [(MAX_KEPT_ROWS + 1, 2, MAX_KEPT_ROWS), (3, MAX_KEPT_BYTES // 2, 2), (1, MAX_KEPT_BYTES + 1, 0)],
    ids=["too many rows", "too many bytes", "one row too large"],
)
def test_what_does_not_fit_is_counted(rows: int, size: int, kept: int) -> None:
    """The first rows are kept."""
    texts = dict.fromkeys(range(rows), b"x" * size)
    made = new_rejection("batch-1", NOON, texts, [RowError(index, None, "is wrong") for index in range(rows)])
    assert (made.summary.rejected, made.summary.kept) == (rows, kept)
    assert [row.index for row in made.rows] == list(range(kept))
    assert made.summary.reasons[0].rows == rows


def test_a_repeated_request_is_listed_once(store: RejectionStore) -> None:
    """Another body of the same batch is listed beside it."""
    for each in (rejection(), rejection(), rejection(text=b"[]")):
        store.create(each)
    assert set(store.latest_first()) == {rejection().id, rejection(text=b"[]").id}


def test_the_latest_day_comes_first(store: RejectionStore) -> None:
    """A position leads to what follows it; both ends of a range of days count."""
    for day in (24, 26, 25):
        store.create(rejection(day=day))
    listed = list(store.latest_first())
    assert [each[:10] for each in listed] == ["2026-11-26", "2026-11-25", "2026-11-24"]
    assert list(store.latest_first(before=listed[0])) == listed[1:]
    assert list(store.latest_first("2026-11-25", "2026-11-25")) == [listed[1]]


def test_a_summary_is_read_from_the_beginning_of_a_large_object(store: RejectionStore) -> None:
    """A list must not read the rows of every request."""
    texts = {index: b'{"%d": "%d"}' % (index, index**5) for index in range(4_000)}
    errors = [RowError(index, "Country", f"is wrong in way {index}") for index in texts]
    made = new_rejection("batch-1", NOON, texts, errors)
    store.create(made)
    assert store.summary(made.id) == made.summary


def test_what_is_gone_is_none(store: RejectionStore) -> None:
    """So is text that is no id, which must not become a key."""
    assert store.summary(rejection().id) is None
    assert [store.read(text) for text in (rejection().id, "", "../raw", rejection().id + "\n")] == [None] * 4


def test_of_two_changes_at_once_one_holds(store: RejectionStore) -> None:
    """The other one learns of it, and can read again."""
    store.create(rejection())
    found = store.read(rejection().id)
    assert found
    made, etag = found
    assert store.replace(made.with_rows([]), etag)
    assert not store.replace(made, etag)
    found = store.read(made.id)
    assert found
    assert found[0].rows == ()


def test_the_rejections_of_a_batch_are_found(store: RejectionStore) -> None:
    """Of all its bodies in these hours; not those of a batch whose id goes on behind a full stop."""
    others = [rejection("batch-1.b"), rejection("batch-10"), rejection(day=25)]
    own = [rejection(), rejection(text=b"[]"), rejection(day=24)]
    for each in (*own, *others):
        store.create(each)
    moments = [NOON, NOON, NOON.replace(day=24, minute=59, second=59) - timedelta(hours=1)]
    found = store.of_batch("batch-1", moments)
    assert found is not None
    assert sorted(map(str, found)) == sorted(str(each.summary) for each in own)
    assert store.of_batch("batch-2", moments) == []


def test_too_many_hours_of_a_batch_are_not_read(store: RejectionStore) -> None:
    """A batch id may come with any number of bodies."""
    assert store.of_batch("batch-1", [NOON - timedelta(hours=hour) for hour in range(60)]) is None


def test_too_many_rejections_of_a_batch_are_not_read(store: RejectionStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each would be an object to read."""
    monkeypatch.setattr("aws.rejections._MOST_OF_BATCH", 1)
    for each in (rejection(), rejection(text=b"[]")):
        store.create(each)
    assert store.of_batch("batch-1", [NOON]) is None


def test_the_first_entries_cost_two_calls_however_many_there_are(s3: "S3Client", store: RejectionStore) -> None:
    """One for the days and one for the latest of them; so does a later page."""
    calls: list[str] = []
    s3.meta.events.register("before-call.s3", lambda model, **_: calls.append(model.name))
    batch_ids = [uuid7_of(NOON - timedelta(seconds=number)) for number in range(12)]
    for batch_id in batch_ids:
        store.create(new_rejection(batch_id, NOON, {1: b"{}"}, [MISSING]))
    calls.clear()
    s3.meta.events.register("provide-client-params.s3.ListObjectsV2", lambda params, **_: params.update(MaxKeys=5))
    latest = list(islice(store.latest_first(), 5))
    assert [each.split(".")[2] for each in latest] == batch_ids[:5]
    assert list(islice(store.latest_first(before=latest[1]), 2)) == latest[2:4]
    assert calls == ["ListObjectsV2"] * 4


@pytest.mark.parametrize(("minutes", "is_one"), [(59, True), (61, False)])
def test_a_request_repeated_within_an_hour_is_one_rejection(minutes: int, *, is_one: bool) -> None:
    """Also across midnight, if its batch id is a UUIDv7."""
    batch_id = uuid7_of(NOON.replace(hour=23, minute=59))
    later = NOON.replace(hour=23, minute=59) + timedelta(minutes=minutes)
    first, second = (
        new_rejection(batch_id, moment, {1: b"{}"}, [MISSING]) for moment in (NOON.replace(hour=23, minute=59), later)
    )
    assert (first.id == second.id) == is_one


def test_a_reason_counts_a_row_once() -> None:
    """A row may have two unknown fields of the same kind."""
    made = new_rejection("batch-1", NOON, {4: b"{}"}, [RowError(4, "a", "is unknown"), RowError(4, "b", "is unknown")])
    assert made.summary.reasons == (Reason("unknown field", "is unknown", 1),)


def test_an_object_that_s3_denies_is_missing(s3: "S3Client", store: RejectionStore) -> None:
    """S3 does not tell a role that may list only a folder which objects are missing."""
    denied = ClientError({"Error": {"Code": "AccessDenied"}}, "GetObject")
    with patch.object(Bucket, "read_start", side_effect=denied):
        assert store.summary(rejection().id) is None
