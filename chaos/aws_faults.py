"""Faults between botocore and AWS, below the SDK's own retries, which therefore run as they do in production."""

import copy
import json
import re
from base64 import b64decode
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from hashlib import blake2b
from http import HTTPStatus
from io import BytesIO
from random import Random
from types import SimpleNamespace
from typing import Any, Protocol, cast
from unittest.mock import patch
from urllib.parse import urlsplit

import botocore.endpoint
from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HTTPHeaders
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, ReadTimeoutError
from botocore.httpsession import URLLib3Session
from urllib3 import HTTPResponse

from chaos.faults import Crash, Fault, FaultPlan, TimeIsUp
from chaos.foreign import Record
from local_runtime.event_source_mapping import VirtualClock

_SLOWEST_SECONDS = 25.0
_THROTTLES = {
    "dynamodb": ("ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"),
    "kinesis": ("ProvisionedThroughputExceededException", "ThrottlingException", "LimitExceededException"),
    "s3": ("SlowDown",),
}
_SERVER_ERRORS = {"dynamodb": "InternalServerError", "kinesis": "InternalFailure", "s3": "InternalError"}
_RANDOM_NAME = re.compile(r"(/month(?:=|%3D)[0-9-]+/|/erased/receipts/).*")
_READS_WITHOUT_NAME = ("GetRecords", "GetShardIterator", "ListShards")  # their tokens differ from run to run


class Client(Protocol):
    @property
    def meta(self) -> Any:  # boto3-stubs know no common type of clients
        ...


@dataclass(slots=True)
class AwsFaults:
    """The way to AWS. `puts` are the records that the stream really took, whatever their sender heard.

    `prefix` starts the names of this seed's stores. `time_limit` is when, by `clock`, Lambda ends the invocation.
    `arrivals` are the times of all records by sequence number, also of those that others put.
    """

    plan: FaultPlan
    clock: VirtualClock
    prefix: str
    time_limit: float | None = None
    puts: list[Record] = field(default_factory=list)
    arrivals: dict[str, float] = field(default_factory=dict)
    _session: URLLib3Session = field(default_factory=URLLib3Session)

    def attach(self, client: Client) -> None:
        """From now on every call of this client can meet a fault."""
        client.meta.events.register("before-send", self._handle)

    def note_arrival(self, sequence_number: str) -> float:
        self.arrivals[sequence_number] = self.clock.now()
        return self.clock.now()

    def close(self) -> None:
        self._session.close()

    def _handle(self, request: AWSPreparedRequest, event_name: str, **_rest: object) -> AWSResponse:
        """`event_name` is botocore's: `before-send.dynamodb.BatchWriteItem`."""
        _, service, operation = event_name.split(".")
        call = _Call(service, operation, request)
        fault, chance = self.plan.draw(f"{service}.{operation}", call.name(self.prefix))
        match fault:
            case Fault.LOST_REQUEST:
                raise EndpointConnectionError(endpoint_url=request.url)
            case Fault.CRASH_BEFORE:
                raise Crash
            case Fault.THROTTLED:
                return call.refused(503 if service == "s3" else 400, chance.choice(_THROTTLES[service]))
            case Fault.SERVER_ERROR if chance.random() < 0.5:  # noqa: PLR2004 - one in two
                return call.answered(503, b"<html>unavailable</html>")  # of something that knows nothing of AWS
            case Fault.SERVER_ERROR:
                return call.refused(500, _SERVER_ERRORS[service])
            case Fault.EXPIRED:
                return call.refused(400, "ExpiredIteratorException")
            case Fault.PARTIAL:
                return self._send_partly(call, chance)
            case Fault.SLOW:
                self._pass_time(chance.uniform(0.1, _SLOWEST_SECONDS))
        return self._send_and_answer(call, fault, chance)

    def _send_and_answer(self, call: "_Call", fault: Fault | None, chance: Random) -> AWSResponse:
        """AWS does its work; the fault decides whether the caller hears of it."""
        response = self._send(call.request)
        if call.operation == "PutRecord" and response.status_code == HTTPStatus.OK:
            parameters = call.parameters
            arrived = self.note_arrival(json.loads(response.content)["SequenceNumber"])
            self.puts.append(Record(parameters["PartitionKey"], b64decode(parameters["Data"]), arrived=[arrived]))
        if fault in (Fault.CRASH_AFTER, Fault.LOST_RESPONSE):
            _ = response.content  # an unread body would keep its connection
        if fault is Fault.CRASH_AFTER:
            raise Crash
        if fault is Fault.LOST_RESPONSE:
            raise chance.choice((ConnectionClosedError, ReadTimeoutError))(endpoint_url=call.request.url)
        return response

    def _send_partly(self, call: "_Call", chance: Random) -> AWSResponse:
        """DynamoDB answers 200 and leaves some entries undone: at least one, at most all."""
        is_read = call.operation == "BatchGetItem"
        asked = call.parameters["RequestItems"]
        entries = [(table, each) for table, some in asked.items() for each in (some["Keys"] if is_read else some)]
        chance.shuffle(entries)
        cut = chance.randrange(len(entries))

        def request_items(some: list[tuple[str, Any]]) -> dict[str, Any]:
            by_table = {table: [each for name, each in some if name == table] for table, _ in some}
            return {table: {**asked[table], "Keys": keys} for table, keys in by_table.items()} if is_read else by_table

        content: dict[str, Any] = {"Responses": {}} if is_read else {}
        if cut:
            content = json.loads(self._send(call.with_request_items(request_items(entries[:cut]))).content)
        undone = "UnprocessedKeys" if is_read else "UnprocessedItems"
        content[undone] = {**content.get(undone, {}), **request_items(entries[cut:])}
        return call.answered(HTTPStatus.OK, json.dumps(content).encode())

    def _send(self, request: AWSPreparedRequest) -> AWSResponse:
        response: AWSResponse = self._session.send(request)
        return response

    def _pass_time(self, seconds: float) -> None:
        self.clock.sleep(seconds)
        if self.time_limit is not None and self.clock.now() > self.time_limit:
            raise TimeIsUp


def virtual_backoff(clock: VirtualClock) -> AbstractContextManager[object]:
    """botocore's pauses between its own retries pass on the virtual clock: it takes none as an argument."""
    return patch.object(botocore.endpoint, "time", SimpleNamespace(sleep=clock.sleep))


@dataclass(frozen=True, slots=True)
class _Call:
    """One request of botocore on its way out, and the answers that AWS gives to it when things go wrong."""

    service: str
    operation: str
    request: AWSPreparedRequest

    def name(self, prefix: str) -> str:
        """The same for the same call in every run: an object's path, or a hash of the parameters.

        A receipt has the engine's time of arrival in it, so its call is named by the key of its item.
        """
        if self.service == "s3":
            return _RANDOM_NAME.sub(r"\1", urlsplit(self.request.url).path.replace(prefix, "", 1))
        if self.operation in _READS_WITHOUT_NAME:
            return ""
        if self.operation == "PutItem":
            item = self.parameters["Item"]
            return f"{item['BatchId']['S']}/{item['Body']['S']}"
        return blake2b(self._body.replace(prefix.encode(), b""), digest_size=8).hexdigest()

    @property
    def parameters(self) -> dict[str, Any]:
        """Of DynamoDB and Kinesis, whose calls are JSON."""
        parameters: dict[str, Any] = json.loads(self._body)
        return parameters

    def with_request_items(self, request_items: dict[str, Any]) -> AWSPreparedRequest:
        request = copy.copy(self.request)
        request.body = json.dumps({**self.parameters, "RequestItems": request_items}).encode()
        request.headers = copy.copy(request.headers)
        request.headers["Content-Length"] = str(len(request.body))
        return request

    def refused(self, status: int, code: str) -> AWSResponse:
        """With the error document of the service: S3's is XML."""
        if self.service == "s3":
            text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>injected</Message></Error>"
        else:
            text = json.dumps({"__type": code, "message": "injected"})
        return self.answered(status, text.encode())

    def answered(self, status: int, body: bytes) -> AWSResponse:
        headers = HTTPHeaders.from_dict({"Content-Length": str(len(body))})
        return AWSResponse(self.request.url, status, headers, HTTPResponse(BytesIO(body), preload_content=False))

    @property
    def _body(self) -> bytes:
        body = self.request.body
        return body.encode() if isinstance(body, str) else bytes(cast("bytes", body or b""))
