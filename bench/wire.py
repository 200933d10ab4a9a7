"""Real boto3 clients whose requests end here instead of at AWS: answered with success, and counted.

Nothing of botocore is left out but the socket, so the CPU time of a call is the true one. The time that counting
itself takes is kept apart, in `own_seconds`.
"""

import json
import time
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.session import Session

from bench.api_key import stored_key
from bench.counts import Counts
from bench.item_size import item_bytes, write_units
from bench.stored import Stored

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

_CODE_OK = 200


@dataclass(slots=True)
class Wire:
    """Counts into `counts`; keeps the records that were put, for the consumers to be given, and items in `stored`."""

    counts: Counts
    stored: Stored | None = None
    own_seconds: float = 0.0
    records: list[tuple[str, bytes]] = field(default_factory=list)
    _sizes: dict[str, dict[str, int]] = field(default_factory=dict)

    def end(self, session: Session) -> None:
        """No request of a client that this session makes from now on leaves the process."""
        session.get_component("event_emitter").register_first("before-send", self._answer)

    def _answer(self, request: AWSPreparedRequest, event_name: str, **_: object) -> AWSResponse:
        started = time.process_time()
        operation = event_name.rpartition(".")[2]
        self.counts.calls[operation] += 1
        answer = self._take(operation, request)
        self.own_seconds += time.process_time() - started
        return AWSResponse(
            request.url, _CODE_OK, HTTPHeaders.from_dict({"Content-Length": str(len(answer))}), _Raw(answer)
        )

    def _take(self, operation: str, request: AWSPreparedRequest) -> bytes:
        body = _bytes_of(request.body)
        if operation == "PutObject":
            self.counts.put_object(int(request.headers.get("X-Amz-Decoded-Content-Length", len(body))))
            return b""
        takes: dict[str, Callable[[Any], dict[str, object]]] = {
            "PutRecord": self._put_record,
            "PutRecords": self._put_records,
            "BatchWriteItem": self._batch_write,
            "UpdateItem": self._update,
            "GetItem": lambda _call: stored_key(),
        }
        if self.stored:
            takes |= {"Query": self.stored.query, "BatchGetItem": self.stored.get_many}
        return json.dumps(takes[operation](json.loads(body))).encode()

    def _put_record(self, call: Mapping[str, str]) -> dict[str, object]:
        data, key = b64decode(call["Data"]), call["PartitionKey"]
        self.counts.record(len(data) + len(key.encode()))
        self.records.append((key, data))
        return {"ShardId": "shardId-000000000000", "SequenceNumber": str(len(self.records))}

    def _put_records(self, call: Mapping[str, list[Mapping[str, str]]]) -> dict[str, object]:
        return {"FailedRecordCount": 0, "Records": [self._put_record(record) for record in call["Records"]]}

    def _batch_write(self, call: Mapping[str, Any]) -> dict[str, object]:
        for table, requests in call["RequestItems"].items():
            for request in requests:
                size = item_bytes(request["PutRequest"]["Item"])
                self.counts.put_item(size, write_units(size))
                if self.stored:
                    self.stored.put(table, request["PutRequest"]["Item"])
        return {"UnprocessedItems": {}}

    def _update(self, call: Mapping[str, Any]) -> dict[str, object]:
        """An update pays for the whole item, as it was or as it is, whichever is larger."""
        name = call["TableName"] + json.dumps(call["Key"], sort_keys=True)
        sizes = self._sizes.setdefault(name, {"": item_bytes(call["Key"])})
        before = sum(sizes.values()) if len(sizes) > 1 else 0
        for attribute, value in _values_set(call):
            sizes[attribute] = len(attribute.encode()) + item_bytes({"": value})
        after = sum(sizes.values())
        self.counts.items += before == 0
        self.counts.item_bytes += after - before
        self.counts.write_units += write_units(max(before, after))
        return {}


class _Raw:
    """As much of a response's body as botocore reads."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self._body

    def read(self, *_: object) -> bytes:
        return self._body


def _bytes_of(body: Any) -> bytes:
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    return bytes(body if isinstance(body, bytes | bytearray) else body.read())


def _values_set(call: Mapping[str, Any]) -> "Iterator[tuple[str, AttributeValueTypeDef]]":
    """What `SET #a = :a, #b = :b` sets: names and values are paired by their placeholders."""
    for placeholder, attribute in call["ExpressionAttributeNames"].items():
        yield attribute, call["ExpressionAttributeValues"][f":{placeholder[1:]}"]
