"""The bucket: its keys, its objects, and the dead letters in it.

    raw/dt=…/hour=…/<batch id>.ndjson.gz                        a record of the stream, byte for byte
    raw/dt=…/hour=…/<batch id>=<hash>.ndjson.gz                 another body that arrived under the same batch id
    failed/<stage>/dt=…/hour=…/<batch id>.<hash>.json           a dead letter: what this stage cannot store, and why
    failed-redriven/<stage>/dt=…/hour=…/<batch id>.<hash>.json  which rows of that dead letter a redrive stored
    rejected/dt=…/<seconds>.<batch id>.<hash>.jsonl.gz          the rejected rows of a request: see aws/rejections.py
    erased/customers.json, erased/receipts/…                    whom an operator erased: see aws/erasures.py

`dt` and `hour` of a record are computed from the batch id, never from the time of delivery. So a record that is
delivered again has the same key again.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import blake2b
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from aws.errors import error_code, translate_errors
from invoices.batch import batch_id_or, batch_time, unpack
from invoices.errors import RowError
from invoices.limits import MAX_BODY_BYTES

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RAW = "raw/"
FAILED = "failed/"
REDRIVEN = "failed-redriven/"
REJECTED = "rejected/"
ERASED = "erased/"

DISCARDED = "aws/lambda/"
"""Where Lambda writes a batch that it gave up: its retries or its age came to an end."""

TO_S3 = "to_s3"
TO_DYNAMODB = "to_dynamodb"

_RAW_SUFFIX = ".ndjson.gz"
_SECOND_BODY = "="  # a batch id cannot contain it
_NOT_A_BATCH_ID = "unnamed"


def raw_key(batch_id: str) -> str:
    """The key of the batch's raw object."""
    return f"{RAW}{batch_folder(batch_id)}/{batch_id}{_RAW_SUFFIX}"


def second_body_key(batch_id: str, data: bytes) -> str:
    """The key of another body of the same batch id: a hash of its rows follows the id. `data` is gzip."""
    content = blake2b(unpack(data, MAX_BODY_BYTES), digest_size=8).hexdigest()
    return f"{raw_key(batch_id).removesuffix(_RAW_SUFFIX)}{_SECOND_BODY}{content}{_RAW_SUFFIX}"


def batch_id_of(key: str) -> str:
    """The batch of a raw object, whether it holds the batch's first body or another."""
    return key.rpartition("/")[2].removesuffix(_RAW_SUFFIX).partition(_SECOND_BODY)[0]


def is_second_body(key: str) -> bool:
    """Whether a raw object holds another body of its batch than the first."""
    return _SECOND_BODY in key.rpartition("/")[2]


def redriven_key(key: str) -> str:
    """The key under `failed-redriven/` that belongs to this key under `failed/`."""
    return f"{REDRIVEN}{key.removeprefix(FAILED)}"


def hour_folder(moment: datetime) -> str:
    """`dt=YYYY-MM-DD/hour=HH`; `moment` is in UTC."""
    return f"{moment:dt=%Y-%m-%d/hour=%H}"


def batch_folder(batch_id: str) -> str:
    """The folder of everything that is kept by the hour of this batch."""
    return hour_folder(batch_time(batch_id))


@dataclass(frozen=True, slots=True)
class ListedObject:
    key: str
    written_at: datetime


@dataclass(frozen=True, slots=True)
class ObjectVersion:
    """One version of an object. In a bucket without versions, every object is the latest version of its key."""

    key: str
    version_id: str
    is_latest: bool
    written_at: datetime


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket and the client that reaches it. Every method raises Retryable where S3 fails for a while."""

    s3: "S3Client"
    name: str

    def create(self, key: str, body: bytes, content_type: str) -> bool:
        """Write a new object. False where the key exists already; that object stays as it is."""
        try:
            with translate_errors("S3"):
                self.s3.put_object(Bucket=self.name, Key=key, Body=body, IfNoneMatch="*", ContentType=content_type)
        except ClientError as error:
            if error_code(error) != "PreconditionFailed":
                raise
            return False
        return True

    def put(self, key: str, body: bytes, content_type: str) -> str | None:
        """Write an object, whether the key exists or not. Returns its version, None in a bucket without versions."""
        with translate_errors("S3"):
            answer = self.s3.put_object(Bucket=self.name, Key=key, Body=body, ContentType=content_type)
        return answer.get("VersionId")

    def read(self, key: str) -> bytes:
        """Raises NoSuchKey's ClientError where there is none."""
        with translate_errors("S3"):
            return self.s3.get_object(Bucket=self.name, Key=key)["Body"].read()

    def read_start(self, key: str, size: int) -> bytes:
        """The first `size` bytes, or fewer in a smaller object. Raises NoSuchKey's ClientError where there is none."""
        with translate_errors("S3"):
            return self.s3.get_object(Bucket=self.name, Key=key, Range=f"bytes=0-{size - 1}")["Body"].read()

    def read_version(self, key: str) -> tuple[bytes, str]:
        """The object and its ETag, for `replace`. Raises NoSuchKey's ClientError where there is none."""
        with translate_errors("S3"):
            answer = self.s3.get_object(Bucket=self.name, Key=key)
            return answer["Body"].read(), answer["ETag"]

    def replace(self, key: str, body: bytes, content_type: str, etag: str) -> bool:
        """Write an object again. False where somebody else changed it since it had this ETag, or deleted it."""
        try:
            with translate_errors("S3"):
                self.s3.put_object(Bucket=self.name, Key=key, Body=body, IfMatch=etag, ContentType=content_type)
        except ClientError as error:
            if error_code(error) not in {"PreconditionFailed", "NoSuchKey"}:
                raise
            return False
        return True

    def read_dated(self, key: str) -> tuple[bytes, float]:
        """The object, and when it was written, in seconds since 1970. Raises NoSuchKey's ClientError."""
        with translate_errors("S3"):
            answer = self.s3.get_object(Bucket=self.name, Key=key)
            return answer["Body"].read(), answer["LastModified"].timestamp()

    def delete(self, key: str) -> None:
        with translate_errors("S3"):
            self.s3.delete_object(Bucket=self.name, Key=key)

    def versions(self, prefix: str = "") -> Iterator[ObjectVersion]:
        """Every version of every object whose key begins with `prefix`."""
        pages = self.s3.get_paginator("list_object_versions").paginate(Bucket=self.name, Prefix=prefix)
        with translate_errors("S3"):
            for page in pages:
                for each in page.get("Versions", []):
                    yield ObjectVersion(each["Key"], each["VersionId"], each["IsLatest"], each["LastModified"])

    def content_of(self, version: ObjectVersion) -> bytes:
        with translate_errors("S3"):
            answer = self.s3.get_object(Bucket=self.name, Key=version.key, VersionId=version.version_id)
            return answer["Body"].read()

    def delete_version(self, version: ObjectVersion) -> None:
        """Nothing is left of this version. Of two versions of a key, the older one is the latest again."""
        with translate_errors("S3"):
            self.s3.delete_object(Bucket=self.name, Key=version.key, VersionId=version.version_id)

    def objects(self, prefix: str, start_after: str = "") -> Iterator[ListedObject]:
        """Every object whose key begins with `prefix` and sorts after `start_after`, in the order of the keys."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.name, Prefix=prefix, StartAfter=start_after
        )
        with translate_errors("S3"):
            for page in pages:
                yield from (ListedObject(each["Key"], each["LastModified"]) for each in page.get("Contents", []))

    def folders(self, prefix: str) -> Iterator[str]:
        """The folders directly below `prefix`, with their slash at the end, in order."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix, Delimiter="/")
        with translate_errors("S3"):
            for page in pages:
                yield from (each["Prefix"] for each in page.get("CommonPrefixes", []))

    def exists(self, key: str) -> bool:
        return any(each.key == key for each in self.objects(key))


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What a stage cannot store. `payload` is the whole record's data, or gzip NDJSON of the rows in `errors`."""

    payload: bytes
    reason: str
    errors: tuple[RowError, ...] = ()


@dataclass(frozen=True)
class DeadLetterDocument:
    """The JSON document under `failed/`. An `index` in `errors` counts the rows of the whole record from 0."""

    stage: str
    batch_id: str
    sequence_number: str
    reason: str
    errors: tuple[RowError, ...]
    payload_base64: str

    @property
    def payload(self) -> bytes:
        return b64decode(self.payload_base64)


@dataclass(frozen=True, slots=True)
class DeadLetterStore:
    """`failed/<stage>/` in the bucket."""

    bucket: Bucket
    stage: str

    def put(self, batch_id: str, sequence_number: str, dead_letter: DeadLetter) -> None:
        """Write the document; the same dead letter put again overwrites itself. Raises Retryable where S3 fails."""
        document = DeadLetterDocument(
            stage=self.stage,
            batch_id=batch_id,
            sequence_number=sequence_number,
            reason=dead_letter.reason,
            errors=dead_letter.errors,
            payload_base64=b64encode(dead_letter.payload).decode(),
        )
        body = json.dumps(asdict(document), indent=2).encode()
        self.bucket.put(self.key_of(self.stage, batch_id, dead_letter), body, "application/json")

    @staticmethod
    def key_of(stage: str, batch_id: str, dead_letter: DeadLetter) -> str:
        """Anybody may write to the stream, so a batch id becomes part of a key only after it was checked."""
        name = batch_id_or(batch_id, _NOT_A_BATCH_ID)
        indexes = ",".join(str(error.index) for error in dead_letter.errors)
        content = blake2b(dead_letter.payload + indexes.encode(), digest_size=8).hexdigest()
        return f"{FAILED}{stage}/{batch_folder(name)}/{name}.{content}.json"
