"""One raw object for each batch, whatever is delivered twice."""

from typing import TYPE_CHECKING

import pytest

from aws.bucket import Bucket
from consumers.archive import Archive
from consumers.batch_loop import Record
from invoices.batch import pack, unpack
from invoices.errors import Malformed
from tests.consumers.events import BATCH, BATCH_FOLDER

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

KEY = f"raw/{BATCH_FOLDER}/{BATCH}.ndjson.gz"


def record(rows: bytes, sequence_number: str = "1") -> Record:
    return Record(BATCH, sequence_number, pack(rows))


@pytest.fixture
def archive(s3: "S3Client") -> Archive:
    return Archive(Bucket(s3, "raw-bucket"))


def objects(s3: "S3Client") -> dict[str, bytes]:
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket="raw-bucket").get("Contents", [])]
    return {key: s3.get_object(Bucket="raw-bucket", Key=key)["Body"].read() for key in keys}


def test_a_record_becomes_an_object_byte_for_byte(archive: Archive, s3: "S3Client") -> None:
    """It is gzip NDJSON already; nothing is parsed."""
    archive.add(record(b"rows"))
    assert objects(s3) == {KEY: pack(b"rows")}


def test_a_redelivery_changes_nothing(archive: Archive, s3: "S3Client") -> None:
    """Not even as a second record with another sequence number, as after a lost acknowledgement."""
    for sequence_number in ("1", "1", "2"):
        archive.add(record(b"rows", sequence_number))
    assert objects(s3) == {KEY: pack(b"rows")}


def test_the_same_rows_compressed_otherwise_are_the_same_body(archive: Archive, s3: "S3Client") -> None:
    """Two releases of zlib may disagree on bytes."""
    archive.add(record(b"rows"))
    archive.add(Record(BATCH, "2", pack(b"ro") + pack(b"ws")))
    assert objects(s3) == {KEY: pack(b"rows")}


def test_another_body_of_the_same_name_is_kept_beside_the_first(archive: Archive, s3: "S3Client") -> None:
    """A caller used one key for two bodies: neither is lost, and redelivery of either changes nothing."""
    for rows in (b"one", b"two", b"one", b"two"):
        archive.add(record(rows))
    first, second = sorted(objects(s3).items(), key=lambda item: len(item[0]))
    assert (first, unpack(second[1], 10)) == ((KEY, pack(b"one")), b"two")
    assert second[0].startswith(KEY.removesuffix(".ndjson.gz"))


def test_a_broken_object_of_its_name_does_not_keep_a_record_out(archive: Archive, s3: "S3Client") -> None:
    """Another writer's poison came first; the good record is kept beside it."""
    archive.add(Record(BATCH, "1", b"\x1f\x8b\x08broken"))
    archive.add(record(b"rows", "2"))
    assert sorted(objects(s3).values()) == sorted([b"\x1f\x8b\x08broken", pack(b"rows")])


def test_what_is_not_gzip_is_not_archived(archive: Archive, s3: "S3Client") -> None:
    """A reader of the archive must be able to trust its names."""
    with pytest.raises(Malformed):
        archive.add(Record(BATCH, "1", b"rows"))
    assert objects(s3) == {}
