"""Rejected rows in the bucket: what is kept, in which order it is listed, and what comes back."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from aws.bucket import Bucket
from aws.rejections import Reason, Rejection, RejectionStore, Summary, decode, encode, new_rejection
from invoices.errors import RowError
from invoices.limits import MAX_KEPT_BYTES, MAX_KEPT_ROWS

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
MISSING = RowError(1, "Country", "is missing")
STRANGE = RowError(4, "Customer", "is not a known field (did you mean CustomerID?)")


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
    assert {each.id for each in store.latest_first()} == {rejection().id, rejection(text=b"[]").id}


def test_the_latest_day_comes_first(store: RejectionStore) -> None:
    """A position leads to what follows it; both ends of a range of days count."""
    for day in (24, 26, 25):
        store.create(rejection(day=day))
    listed = list(store.latest_first())
    assert [each.id[:10] for each in listed] == ["2026-11-26", "2026-11-25", "2026-11-24"]
    assert list(store.latest_first(before=listed[0].position)) == listed[1:]
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


def test_the_rejected_rows_of_a_batch_are_counted(store: RejectionStore) -> None:
    """Of all its bodies; not those of a batch whose id goes on behind a full stop."""
    others = [rejection("batch-1.b"), rejection("batch-10"), rejection(day=25)]
    for each in (rejection(), rejection(text=b"[]"), *others):
        store.create(each)
    assert store.rejected_rows("batch-1", ["2026-11-26", "2026-11-26"]) == 2
    assert store.rejected_rows("batch-2", ["2026-11-26"]) == 0
