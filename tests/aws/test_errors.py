"""What an error of botocore means: Throttled, Unavailable, or a mistake of ours that must be seen."""

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError, ReadTimeoutError
from botocore.retries.standard import ThrottledRetryableChecker

from aws.errors import translate_errors
from invoices.errors import Throttled, Unavailable


def client_error(code: str, status: int) -> ClientError:
    return ClientError(
        {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item] # the rest is never read
        "PutRecord",
    )


@pytest.mark.parametrize(
    "error",
    [client_error("ProvisionedThroughputExceededException", 400), client_error("SlowDown", 503)]
    + [client_error("ThrottlingException", 400), client_error("Whatever", 429)]
    + [client_error("KMSThrottlingException", 400), client_error("RequestThrottled", 400)],
)
def test_a_throttle_raises_throttled(error: ClientError) -> None:
    """DynamoDB and Kinesis answer 400 with a code; S3 answers 503."""
    with pytest.raises(Throttled), translate_errors("DynamoDB"):
        raise error


@pytest.mark.parametrize(
    "error",
    [client_error("InternalFailure", 500), client_error("ConditionalRequestConflict", 409)]
    + [client_error("RequestTimeout", 400), client_error("OperationAborted", 409)]
    + [EndpointConnectionError(endpoint_url="http://x"), ReadTimeoutError(endpoint_url="http://x")]
    + [ConnectionClosedError(endpoint_url="http://x")],
)
def test_any_other_transient_error_raises_unavailable(error: Exception) -> None:
    """These are 5xx, lost connections, timeouts, and a conditional write that met another."""
    with pytest.raises(Unavailable), translate_errors("S3"):
        raise error


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException", "ValidationException"])
def test_a_permanent_error_passes_unchanged(code: str) -> None:
    """A retry would hide it."""
    with pytest.raises(ClientError, match=code), translate_errors("Kinesis"):
        raise client_error(code, 400)


def test_every_throttle_that_botocore_knows_raises_throttled() -> None:
    """A new release of botocore may know another code."""
    known: list[str] = vars(ThrottledRetryableChecker)["_THROTTLED_ERROR_CODES"]  # botocore has no public list
    for code in known:
        with pytest.raises(Throttled), translate_errors("DynamoDB"):
            raise client_error(code, 400)
