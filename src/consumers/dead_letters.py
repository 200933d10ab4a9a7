"""Records and rows that no retry can help, kept in the bucket with the reason."""

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, TypedDict

from aws.errors import translate_errors
from consumers.records import Record, unheard
from invoices.batch import dated_folder, parse_batch_id
from invoices.errors import Malformed, RowError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_UNNAMED = "unnamed"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """`payload` is the record's data as it came, or gzip NDJSON of those of its rows that `errors` names."""

    payload: bytes
    reason: str
    errors: tuple[RowError, ...] = ()


class DeadLetterDocument(TypedDict):
    """The JSON document under `failed/`. `index` in `errors` counts the rows of the whole record from 0."""

    stage: str
    batch_id: str
    sequence_number: str
    reason: str
    errors: list[dict[str, object]]
    payload_base64: str


class DeadLetterStore:
    """`failed/<stage>/` in the bucket. A payload that is delivered again lands on its own object.

    `told` hears of each record that all or a part of is kept.
    """

    def __init__(self, s3: "S3Client", bucket: str, stage: str, told: Callable[[Record], None] = unheard) -> None:
        self._told = told
        self._s3 = s3
        self._bucket = bucket
        self._stage = stage

    def keep(self, record: Record, set_aside: DeadLetter) -> None:
        """Write the object. Raises Retryable if S3 does not take it: then the record stays on the stream."""
        document = DeadLetterDocument(
            stage=self._stage,
            batch_id=record.batch_id,
            sequence_number=record.sequence_number,
            reason=set_aside.reason,
            errors=[asdict(error) for error in set_aside.errors],
            payload_base64=b64encode(set_aside.payload).decode(),
        )
        with translate_errors("S3"):
            self._s3.put_object(
                Bucket=self._bucket,
                Key=self._key(record, set_aside),
                Body=json.dumps(document, indent=2).encode(),
                ContentType="application/json",
            )
        self._told(record)

    def _key(self, record: Record, set_aside: DeadLetter) -> str:
        name = _name_for_key(record.batch_id)
        places = ",".join(str(error.index) for error in set_aside.errors)
        content = blake2b(set_aside.payload + places.encode(), digest_size=8).hexdigest()
        return f"failed/{self._stage}/{dated_folder(name)}/{name}.{content}.json"


def _name_for_key(batch_id: str) -> str:
    try:
        return parse_batch_id(batch_id)
    except Malformed:
        return _UNNAMED
