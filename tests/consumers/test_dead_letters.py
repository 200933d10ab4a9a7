"""What is set aside can be found, read and sent again."""

import json
from base64 import b64decode
from typing import TYPE_CHECKING, cast

from consumers.dead_letters import DeadLetter, DeadLetterDocument, DeadLetterStore
from consumers.records import Record
from invoices.errors import RowError
from tests.consumers.events import BATCH, BATCH_FOLDER

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def failed(s3: "S3Client") -> dict[str, DeadLetterDocument]:
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket="raw-bucket").get("Contents", [])]
    bodies = {key: s3.get_object(Bucket="raw-bucket", Key=key)["Body"].read() for key in keys}
    return {key: cast("DeadLetterDocument", json.loads(body)) for key, body in bodies.items()}


def test_payload_and_reason_are_kept(s3: "S3Client") -> None:
    """Under the stage's folder, with the batch id in the name."""
    errors = (RowError(1, "Quantity", "is missing"),)
    DeadLetterStore(s3, "raw-bucket", "to_dynamodb").keep(Record(BATCH, "7", b"all"), DeadLetter(b"bad", "why", errors))
    ((key, document),) = failed(s3).items()
    assert key.startswith(f"failed/to_dynamodb/{BATCH_FOLDER}/{BATCH}.")
    assert b64decode(document["payload_base64"]) == b"bad"
    assert (document["reason"], document["batch_id"], document["sequence_number"]) == ("why", BATCH, "7")
    assert document["errors"] == [{"index": 1, "field": "Quantity", "message": "is missing"}]


def test_a_redelivery_lands_on_its_object(s3: "S3Client") -> None:
    """Another payload of the same batch does not."""
    folder = DeadLetterStore(s3, "raw-bucket", "to_s3")
    for payload in (b"one", b"one", b"two"):
        folder.keep(Record(BATCH, "1", payload), DeadLetter(payload, "why"))
    assert len(failed(s3)) == 2


def test_the_same_rows_at_another_place_are_kept_beside_the_first(s3: "S3Client") -> None:
    """A row without Occurrence is known by its place in the record."""
    for index in (0, 1):
        errors = (RowError(index, "Quantity", "is missing"),)
        DeadLetterStore(s3, "raw-bucket", "to_dynamodb").keep(
            Record(BATCH, "1", b"all"), DeadLetter(b"bad", "why", errors)
        )
    assert sorted(document["errors"][0]["index"] for document in failed(s3).values()) == [0, 1]  # type: ignore[type-var] # ints


def test_an_unchecked_name_never_becomes_a_key(s3: "S3Client") -> None:
    """The document still tells it."""
    DeadLetterStore(s3, "raw-bucket", "to_s3").keep(Record("../../etc", "1", b"x"), DeadLetter(b"x", "why"))
    ((key, document),) = failed(s3).items()
    assert key.startswith("failed/to_s3/dt=1970-01-01/hour=00/unnamed.")
    assert document["batch_id"] == "../../etc"
