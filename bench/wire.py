"""AWS that says yes: answers every call with success, and counts what it would cost.

A `Wire` that is connected answers boto3's clients in this process instead of at AWS. Everything of botocore runs except
the socket, so the CPU time of a call is the true one. The time that the counting itself takes is kept apart, in
`own_seconds`.
"""

import json
import os
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders

from aws.api_keys import generate_key, key_hash
from aws.clients import session
from bench.counts import Counts, item_bytes
from local_runtime.environment import aws_environment

STREAM, BUCKET, INVOICES, CUSTOMERS = "rows", "raw", "invoices", "customers"
API_KEY = generate_key(bytes)  # of zeros: it opens nothing
NO_SUCH_KEY = b"<Error><Code>NoSuchKey</Code></Error>"  # the only object that is read says who is erased: nobody


def set_environment(endpoint: str | None = None) -> None:
    """Credentials that open nothing, and where requests go; None: as if to AWS, which a connected Wire prevents."""
    os.environ |= aws_environment(endpoint or "")
    if not endpoint:
        del os.environ["AWS_ENDPOINT_URL"]
    session.cache_clear()
    boto3.setup_default_session(botocore_session=session())


@dataclass(slots=True)
class Wire:
    """Counts into `counts`, and keeps the records that were put."""

    counts: Counts
    own_seconds: float = 0.0
    records: list[tuple[str, bytes]] = field(default_factory=list)

    def connect(self) -> None:
        """From now on this answers every new client, of ours and of boto3."""
        set_environment()
        session().get_component("event_emitter").register_first("before-send", self._respond)

    def answer(self, operation: str, body: bytes) -> bytes:
        """To a call of Kinesis or DynamoDB, in JSON."""
        operations = {
            "PutRecord": self._put_record,
            "PutRecords": self._put_records,
            "BatchWriteItem": self._batch_write,
            "PutItem": self._put_item,
            "GetItem": _stored_key,
        }
        return json.dumps(operations[operation](json.loads(body))).encode()

    def _respond(self, request: AWSPreparedRequest, event_name: str, **_: object) -> AWSResponse:
        started = time.process_time()
        operation = event_name.rpartition(".")[2]
        self.counts.calls[operation] += 1
        status, body = 200, b""
        if operation == "GetObject":
            status, body = 404, NO_SUCH_KEY
        elif operation == "PutObject":
            self.counts.add_object(int(request.headers["X-Amz-Decoded-Content-Length"]))
        else:
            body = self.answer(operation, _bytes_of(request.body))
        self.own_seconds += time.process_time() - started
        return AWSResponse(request.url, status, HTTPHeaders.from_dict({"Content-Length": str(len(body))}), _Raw(body))

    def _put_record(self, call: Mapping[str, Any]) -> dict[str, object]:
        data, key = b64decode(call["Data"]), call["PartitionKey"]
        self.counts.add_record(len(data) + len(key.encode()))
        self.records.append((key, data))
        return {"ShardId": "shardId-000000000000", "SequenceNumber": str(len(self.records))}

    def _put_records(self, call: Mapping[str, Any]) -> dict[str, object]:
        return {"FailedRecordCount": 0, "Records": [self._put_record(record) for record in call["Records"]]}

    def _batch_write(self, call: Mapping[str, Any]) -> dict[str, object]:
        for requests in call["RequestItems"].values():
            for request in requests:
                self.counts.add_item(item_bytes(request["PutRequest"]["Item"]))
        return {"UnprocessedItems": {}}

    def _put_item(self, call: Mapping[str, Any]) -> dict[str, object]:
        """A receipt, the only single item that is put: the table has an index that holds the whole item as well."""
        for _copy in ("table", "index"):
            self.counts.add_item(item_bytes(call["Item"]))
        return {}


class _Raw:
    """As much of a response's body as botocore reads."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self._body

    def read(self, *_: object) -> bytes:
        return self._body


def _stored_key(_call: Mapping[str, Any]) -> dict[str, object]:
    item = {
        "KeyId": {"S": API_KEY.partition(".")[0]},
        "Name": {"S": "bench"},
        "Scopes": {"SS": ["ingest", "read"]},
        "Hash": {"B": b64encode(key_hash(API_KEY)).decode()},
        "CreatedAt": {"S": "2026-11-22T00:00:00Z"},
    }
    return {"Item": item}


def _bytes_of(body: Any) -> bytes:
    """A text, bytes or a file."""
    if isinstance(body, str):
        return body.encode()
    return bytes(body if isinstance(body, bytes | bytearray) else body.read())
