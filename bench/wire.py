"""boto3 clients whose requests end in this process instead of at AWS: answered with success, and counted.

Everything of botocore runs except the socket, so the CPU time of a call is the true one. The time that the counting
itself takes is kept apart, in `own_seconds`.
"""

import json
import os
import time
from base64 import b64decode, b64encode
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders

from aws.api_keys import generate_key, key_hash
from aws.clients import session
from bench.counts import Counts, item_bytes, write_units

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client

STREAM, BUCKET, INVOICES, CUSTOMERS, BATCHES = "rows", "raw", "invoices", "customers", "batches"
API_KEY = generate_key(bytes)  # of zeros: it opens nothing
_NO_SUCH_KEY = b"<Error><Code>NoSuchKey</Code></Error>"  # the only object that is read says who is erased: nobody
_SORT_KEYS = {"InvoiceNo": "SliceId", "CustomerID": "Slice"}


@dataclass(frozen=True, slots=True)
class Clients:
    """As boto3 makes them, for the baselines."""

    kinesis: "KinesisClient"
    dynamodb: "DynamoDBClient"
    s3: "S3Client"


def make_clients() -> Clients:
    return Clients(boto3.client("kinesis"), boto3.client("dynamodb"), boto3.client("s3"))


def table_resources() -> "tuple[Table, Table]":
    """Invoices and Customers as boto3's resources, which have `batch_writer`."""
    resource = boto3.resource("dynamodb")
    return resource.Table(INVOICES), resource.Table(CUSTOMERS)


def set_environment(endpoint: str | None = None) -> None:
    """Credentials that open nothing, and where requests go."""
    os.environ |= {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_REGION": "us-east-1"}
    os.environ |= {"AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}
    os.environ.pop("AWS_ENDPOINT_URL", None)
    if endpoint:
        os.environ["AWS_ENDPOINT_URL"] = endpoint
    session.cache_clear()
    boto3.setup_default_session(botocore_session=session())


def stored_key() -> dict[str, object]:
    """DynamoDB's answer to GetItem for API_KEY, as JSON."""
    item = {
        "KeyId": {"S": API_KEY.partition(".")[0]},
        "Name": {"S": "bench"},
        "Scopes": {"SS": ["ingest", "read"]},
        "Hash": {"B": b64encode(key_hash(API_KEY)).decode()},
        "CreatedAt": {"S": "2026-11-22T00:00:00Z"},
    }
    return {"Item": item}


@dataclass(slots=True)
class Wire:
    """Counts into `counts`; keeps the records that were put and, where it `stores`, the items, for queries."""

    counts: Counts
    stores: bool = False
    own_seconds: float = 0.0
    records: list[tuple[str, bytes]] = field(default_factory=list)
    _sizes: dict[str, dict[str, int]] = field(default_factory=dict)
    _items: dict[str, dict[str, Mapping[str, Any]]] = field(default_factory=lambda: defaultdict(dict))

    def connect(self) -> None:
        """From now on this answers every new client, of ours and of boto3."""
        set_environment()
        session().get_component("event_emitter").register_first("before-send", self._answer)

    def _answer(self, request: AWSPreparedRequest, event_name: str, **_: object) -> AWSResponse:
        started = time.process_time()
        operation = event_name.rpartition(".")[2]
        self.counts.calls[operation] += 1
        is_absent = operation == "GetObject"
        body = _NO_SUCH_KEY if is_absent else self._take(operation, request)
        self.own_seconds += time.process_time() - started
        headers = HTTPHeaders.from_dict({"Content-Length": str(len(body))})
        return AWSResponse(request.url, 404 if is_absent else 200, headers, _Raw(body))

    def _take(self, operation: str, request: AWSPreparedRequest) -> bytes:
        body = _bytes_of(request.body)
        if operation == "PutObject":
            self.counts.add_object(int(request.headers.get("X-Amz-Decoded-Content-Length", len(body))))
            return b""
        operations = {
            "PutRecord": self._put_record,
            "PutRecords": self._put_records,
            "BatchWriteItem": self._batch_write,
            "PutItem": self._put_item,
            "UpdateItem": self._update,
            "GetItem": lambda _call: stored_key(),
            "Query": self._query,
            "BatchGetItem": self._batch_get,
        }
        return json.dumps(operations[operation](json.loads(body))).encode()

    def _put_record(self, call: Mapping[str, Any]) -> dict[str, object]:
        data, key = b64decode(call["Data"]), call["PartitionKey"]
        self.counts.add_record(len(data) + len(key.encode()))
        self.records.append((key, data))
        return {"ShardId": "shardId-000000000000", "SequenceNumber": str(len(self.records))}

    def _put_records(self, call: Mapping[str, Any]) -> dict[str, object]:
        return {"FailedRecordCount": 0, "Records": [self._put_record(record) for record in call["Records"]]}

    def _batch_write(self, call: Mapping[str, Any]) -> dict[str, object]:
        for table, requests in call["RequestItems"].items():
            for item in (request["PutRequest"]["Item"] for request in requests):
                self.counts.add_item(item_bytes(item))
                if self.stores:
                    key = "InvoiceNo" if "SliceId" in item else "CustomerID"
                    self._items[_partition(table, item[key])][item[_SORT_KEYS[key]]["S"]] = item
        return {"UnprocessedItems": {}}

    def _put_item(self, call: Mapping[str, Any]) -> dict[str, object]:
        """A receipt, the only single item that is put: the table has an index that holds the whole item as well."""
        for _copy in ("table", "index"):
            self.counts.add_item(item_bytes(call["Item"]))
        return {}

    def _update(self, call: Mapping[str, Any]) -> dict[str, object]:
        """`SET #a = :a`. An update pays for the whole item before or after it, whichever is larger."""
        sizes = self._sizes.setdefault(_partition(call["TableName"], call["Key"]), {"": item_bytes(call["Key"])})
        before = sum(sizes.values()) if len(sizes) > 1 else 0
        for placeholder, attribute in call["ExpressionAttributeNames"].items():
            value = call["ExpressionAttributeValues"][f":{placeholder[1:]}"]
            sizes[attribute] = item_bytes({attribute: value})
        after = sum(sizes.values())
        self.counts.items += before == 0
        self.counts.item_bytes += after - before
        self.counts.write_units += write_units(max(before, after))
        return {}

    def _query(self, call: Mapping[str, Any]) -> dict[str, object]:
        """The partition's items, behind `:after` where that is asked; pages are not cut."""
        values = call["ExpressionAttributeValues"]
        after = values.get(":after", {"S": ""})["S"]
        found = sorted(
            self._items[_partition(call["TableName"], values.get(":invoice") or values[":customer"])].items()
        )
        items = [item for sort_key, item in found if sort_key > after]
        return {"Items": items, "Count": len(items), "ScannedCount": len(items)}

    def _batch_get(self, call: Mapping[str, Any]) -> dict[str, object]:
        responses = {
            table: [self._items[_partition(table, key["InvoiceNo"])][key["SliceId"]["S"]] for key in asked["Keys"]]
            for table, asked in call["RequestItems"].items()
        }
        return {"Responses": responses, "UnprocessedKeys": {}}


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


def _partition(table: str, key: Mapping[str, Any]) -> str:
    return table + json.dumps(key, sort_keys=True)
