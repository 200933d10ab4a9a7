"""Errors of AWS services, and the problems that they become."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ReadTimeoutError

from tests.invoice_rows import ndjson, row
from tests.pipeline_api.api_calls import AS_NDJSON, Api

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kinesis import KinesisClient

ROW = ndjson([row()])


class _Body:
    """The raw response that botocore reads."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> Iterator[bytes]:
        yield self._content


@contextmanager
def answering(client: "KinesisClient | DynamoDBClient", status: int, code: str) -> Iterator[None]:
    """Every request gets this response before it is sent, below the retries of the SDK."""

    def answer(**_event: object) -> AWSResponse:
        content = f'{{"__type": "{code}", "message": "secret detail"}}'.encode()
        return AWSResponse("https://aws.test", status, HTTPHeaders(), _Body(content))

    hook = cast("Callable[..., None]", answer)  # the stubs do not know that a hook may return a response
    client.meta.events.register_first("before-send", hook)
    yield
    client.meta.events.unregister("before-send", hook)


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, "ProvisionedThroughputExceededException", (429, "1", "throttled")),
        (500, "InternalFailure", (503, "5", "unavailable")),
        (400, "AccessDeniedException", (500, None, "internal-error")),
        (400, "ResourceNotFoundException", (500, None, "internal-error")),
    ],
)
def test_an_error_of_the_stream_is_reported_without_its_message(
    status: int, code: str, expected: tuple[int, str | None, str], api: Api, kinesis: "KinesisClient"
) -> None:
    """A transient error has Retry-After. Any other error is an internal error, and the log has its message."""
    with answering(kinesis, status, code):
        answer = api.ingest(ROW, AS_NDJSON)
    assert (answer.status_code, answer.headers.get("Retry-After"), answer.json()["type"].split(":")[-1]) == expected
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "secret detail" not in answer.text


@pytest.mark.parametrize("path", ["/invoices/1", "/customers/1", "/customers/1/invoices"])
def test_a_throttled_table_is_a_429(path: str, api: Api, dynamodb: "DynamoDBClient") -> None:
    """No query returns an incomplete response instead."""
    with answering(dynamodb, 400, "ThrottlingException"):
        answer = api.get(path)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")


def test_a_service_that_does_not_respond_is_a_503(api: Api, kinesis: "KinesisClient") -> None:
    """The row may be on the stream all the same; a retry with the same key is harmless."""

    def time_out(**_event: object) -> None:
        raise ReadTimeoutError(endpoint_url="https://aws.test")

    kinesis.meta.events.register_first("before-send", time_out)
    answer = api.ingest(ROW, AS_NDJSON)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json()["detail"] == "Kinesis did not answer (ReadTimeoutError)."
