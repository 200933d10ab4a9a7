"""What an error of botocore means to us. Nowhere else is one caught to be named."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError, IncompleteReadError  # noqa: A004

from invoices.errors import Retryable, Throttled, Unavailable

# The codes that botocore's "standard" retries count as throttling and as passing, and KMS's, which Kinesis passes on.
_THROTTLES = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "KMSThrottlingException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
_PASSING = frozenset(
    {
        "ConditionalRequestConflict",  # S3: two conditional writes met; the loser is asked to try again
        "OperationAborted",
        "RequestTimeout",
        "RequestTimeoutException",
    }
)
_NO_ANSWER = (HTTPClientError, ConnectionError, IncompleteReadError)


@contextmanager
def translate_errors(service: str) -> Iterator[None]:
    """Raise Throttled or Unavailable for what may pass; let every other error of the service through as it is.

    A refusal (access denied, no such table, a malformed call) is a fault of ours, and retrying would hide it.
    """
    try:
        yield
    except _NO_ANSWER as error:
        raise Unavailable(f"{service} did not answer ({type(error).__name__})") from error
    except ClientError as error:
        if (meaning := _meaning(error, service)) is None:
            raise
        raise meaning from error


def error_code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")


def _meaning(error: ClientError, service: str) -> Retryable | None:
    code = error_code(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _THROTTLES or status == HTTPStatus.TOO_MANY_REQUESTS:
        return Throttled(f"{service} asks to slow down ({code})")
    if code in _PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Unavailable(f"{service} failed ({code or status})")
    return None
