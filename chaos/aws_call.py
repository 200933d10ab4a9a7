"""One request of botocore on its way out, and the answers that AWS gives when things go wrong."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, cast
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HTTPHeaders

_JSON = "application/x-amz-json-1.1"
_THROTTLES = {
    "dynamodb": ("ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"),
    "kinesis": ("ProvisionedThroughputExceededException", "ThrottlingException", "LimitExceededException"),
}
_SERVER_ERRORS = {"dynamodb": "InternalServerError", "kinesis": "InternalFailure"}
_READS_HAVE_NO_NAME = ("GetRecords", "GetShardIterator", "ListShards")  # their tokens differ from run to run


@dataclass(frozen=True, slots=True)
class AwsCall:
    """`service` is botocore's name in events: `dynamodb`, `kinesis` or `s3`. `prefix` is that of the seed's names."""

    service: str
    operation: str
    request: AWSPreparedRequest
    prefix: str

    @property
    def place(self) -> str:
        return f"{self.service}.{self.operation}"

    @property
    def name(self) -> str:
        """The same for the same call in every run: an object's path, or a hash of what is asked."""
        if self.service == "s3":
            return urlsplit(self.request.url).path.replace(self.prefix, "", 1)
        if self.operation in _READS_HAVE_NO_NAME:
            return ""
        return blake2b(self.body.replace(self.prefix.encode(), b""), digest_size=8).hexdigest()

    @property
    def body(self) -> bytes:
        body = self.request.body
        return body.encode() if isinstance(body, str) else bytes(cast("bytes", body or b""))

    @property
    def parameters(self) -> dict[str, Any]:
        """The call as JSON; only DynamoDB and Kinesis have it."""
        parameters: dict[str, Any] = json.loads(self.body)
        return parameters

    def throttled(self, number: float) -> AWSResponse:
        """S3 has one shape for it; the others have several, of which `number` (0 to 1) chooses."""
        if self.service == "s3":
            return self._xml(503, "SlowDown")
        codes = _THROTTLES[self.service]
        return self.refused(400, codes[int(number * len(codes))])

    def failed(self, number: float) -> AWSResponse:
        """A 500 with its document, or a 503 from something in between that knows nothing of AWS."""
        if number < 0.5:  # noqa: PLR2004 - one in two
            return answer(self.request.url, 503, {"Content-Type": "text/html"}, b"<html>unavailable</html>")
        return self._xml(500, "InternalError") if self.service == "s3" else self._json_failure()

    def refused(self, status: int, code: str) -> AWSResponse:
        return json_answer(self.request.url, {"__type": code, "message": "made up"}, status)

    def _json_failure(self) -> AWSResponse:
        return self.refused(500, _SERVER_ERRORS[self.service])

    def _xml(self, status: int, code: str) -> AWSResponse:
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>made up</Message></Error>".encode()
        return answer(self.request.url, status, {"Content-Type": "application/xml"}, body)


def call_of(event_name: str, request: AWSPreparedRequest, prefix: str) -> AwsCall:
    """`event_name` is botocore's: `before-send.dynamodb.BatchWriteItem`."""
    _, service, operation = event_name.split(".")
    return AwsCall(service, operation, request, prefix)


def json_answer(url: str, content: Mapping[str, object], status: int = 200) -> AWSResponse:
    return answer(url, status, {"Content-Type": _JSON}, json.dumps(content).encode())


def answer(url: str, status: int, headers: Mapping[str, str], body: bytes) -> AWSResponse:
    all_headers = HTTPHeaders.from_dict({**headers, "Content-Length": str(len(body))})
    return AWSResponse(url, status, all_headers, _Raw(body))


class _Raw:
    """The body of an answer, as urllib3 offers one."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self._body
