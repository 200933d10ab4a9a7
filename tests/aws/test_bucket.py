"""The bucket: keys that name their batch, objects that are created once, dead letters that can be read again."""

import json
from base64 import b64decode
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws.bucket import Bucket, DeadLetter, DeadLetterStore, batch_id_of, raw_key, redriven_key, second_body_key
from invoices.batch import BATCH_ID_PATTERN, pack
from invoices.errors import RowError
from tests.consumers.events import BATCH, BATCH_FOLDER

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BATCH_IDS = st.from_regex(BATCH_ID_PATTERN[:-1] + r"\Z") | st.sampled_from(["a.ndjson.gz", "a.0123456789abcdef"])
ERRORS = (RowError(1, "Quantity", "is missing"),)


@pytest.fixture
def bucket(s3: "S3Client") -> Bucket:
    return Bucket(s3, "raw-bucket")


def documents(bucket: Bucket) -> dict[str, Any]:
    return {each.key: json.loads(bucket.read(each.key)) for each in bucket.objects("failed/")}


def test_a_raw_object_is_stored_by_the_time_in_the_batch_id() -> None:
    """A UUIDv7 begins with milliseconds since 1970."""
    assert raw_key(BATCH) == f"raw/{BATCH_FOLDER}/{BATCH}.ndjson.gz"


@pytest.mark.parametrize(
    "name", ["order-17", "00000000-0000-4000-8000-000000000000", "ffffffff-ffff-7fff-8fff-ffffffffffff"]
)
def test_a_batch_id_without_a_time_is_stored_under_1970(name: str) -> None:
    """Any other time would differ between two deliveries. The year in the last id is beyond the calendar."""
    assert raw_key(name) == f"raw/dt=1970-01-01/hour=00/{name}.ndjson.gz"


@given(BATCH_IDS, st.binary(max_size=20))
def test_a_key_tells_its_batch(batch_id: str, rows: bytes) -> None:
    """Of the first body and of another one; no batch id contains the sign between id and hash."""
    keys = [raw_key(batch_id), second_body_key(batch_id, pack(rows))]
    assert [batch_id_of(key) for key in keys] == [batch_id, batch_id]
    assert len(set(keys)) == 2


@given(BATCH_IDS, BATCH_IDS, st.binary(max_size=20))
def test_no_second_body_has_the_key_of_another_batch(batch_id: str, other: str, rows: bytes) -> None:
    """Otherwise one of the two would count as delivered already."""
    assert second_body_key(batch_id, pack(rows)) != raw_key(other)


def test_a_redriven_key_has_the_same_name_in_its_own_folder() -> None:
    """So a dead letter leads to what a redrive did with it."""
    assert redriven_key("failed/to_s3/dt=…/x.json") == "failed-redriven/to_s3/dt=…/x.json"


def test_an_object_is_created_once(bucket: Bucket) -> None:
    """The second attempt returns False and changes nothing."""
    created = [bucket.create("key", body, "text/plain") for body in (b"first", b"second")]
    assert (created, bucket.read("key")) == ([True, False], b"first")


def test_objects_are_listed_in_the_order_of_their_keys(bucket: Bucket) -> None:
    """Only those with the prefix, and only those behind the given key."""
    for key in ("b/2", "a/1", "b/1", "b/3"):
        bucket.create(key, b"", "text/plain")
    assert [each.key for each in bucket.objects("b/", start_after="b/1")] == ["b/2", "b/3"]


def test_only_a_whole_key_exists(bucket: Bucket) -> None:
    """A key that is longer is another object."""
    bucket.create("key.json", b"", "text/plain")
    assert (bucket.exists("key"), bucket.exists("key.json")) == (False, True)
    bucket.delete("key.json")
    assert not bucket.exists("key.json")


def test_a_dead_letter_keeps_payload_and_reason(bucket: Bucket) -> None:
    """In the folder of its stage, with the batch id in the key."""
    DeadLetterStore(bucket, "to_dynamodb").put(BATCH, "7", DeadLetter(b"bad", "why", ERRORS))
    ((key, document),) = documents(bucket).items()
    assert key.startswith(f"failed/to_dynamodb/{BATCH_FOLDER}/{BATCH}.")
    assert b64decode(document.pop("payload_base64")) == b"bad"
    assert document == {
        "stage": "to_dynamodb",
        "batch_id": BATCH,
        "sequence_number": "7",
        "reason": "why",
        "errors": [{"index": 1, "field": "Quantity", "message": "is missing"}],
    }


def test_a_redelivered_dead_letter_is_one_object(bucket: Bucket) -> None:
    """Another payload of the same batch is another object."""
    for payload in (b"one", b"one", b"two"):
        DeadLetterStore(bucket, "to_s3").put(BATCH, "1", DeadLetter(payload, "why"))
    assert len(documents(bucket)) == 2


def test_the_same_rows_at_another_position_are_another_dead_letter(bucket: Bucket) -> None:
    """A row without Occurrence is known by its position in the record."""
    for index in (0, 1):
        errors = (RowError(index, "Quantity", "is missing"),)
        DeadLetterStore(bucket, "to_dynamodb").put(BATCH, "1", DeadLetter(b"bad", "why", errors))
    assert sorted(document["errors"][0]["index"] for document in documents(bucket).values()) == [0, 1]


def test_an_invalid_batch_id_never_becomes_part_of_a_key(bucket: Bucket) -> None:
    """The document still tells it."""
    DeadLetterStore(bucket, "to_s3").put("../../etc", "1", DeadLetter(b"x", "why"))
    ((key, document),) = documents(bucket).items()
    assert key.startswith("failed/to_s3/dt=1970-01-01/hour=00/unnamed.")
    assert document["batch_id"] == "../../etc"
