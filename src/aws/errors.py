"""Translate botocore's errors into the pipeline's: only this module decides which of them are transient."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError, IncompleteReadError  # noqa: A004

from invoices.errors import Retryable, Throttled, Unavailable

# The lists of botocore's "standard" retry mode, and KMS's code, which Kinesis passes on.
_THROTTLE_CODES = frozenset(
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
_TRANSIENT_CODES = frozenset(
    {
        "ConditionalRequestConflict",  # S3: two conditional writes of one key met, and this one has to be repeated
        "OperationAborted",
        "RequestTimeout",
        "RequestTimeoutException",
    }
)
_NO_RESPONSE = (HTTPClientError, ConnectionError, IncompleteReadError)


@contextmanager
def translate_errors(service: str) -> Iterator[None]:
    """Raise Throttled or Unavailable for a transient error, and let every other error through unchanged.

    A permanent error (access denied, no such table, a malformed call) is a mistake in our code or in template.yaml.
    Retrying would only hide it.
    """
    try:
        yield
    except _NO_RESPONSE as error:
        raise Unavailable(f"{service} did not answer ({type(error).__name__})") from error
    except ClientError as error:
        if (transient := _classify(error, service)) is None:
            raise
        raise transient from error


def error_code(error: ClientError) -> str:
    """The service's name for the error, such as `AccessDenied`; empty where the response had no readable body."""
    return error.response.get("Error", {}).get("Code", "")


def _classify(error: ClientError, service: str) -> Retryable | None:
    """What to raise instead of a transient error; None for a permanent one."""
    code = error_code(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _THROTTLE_CODES or status == HTTPStatus.TOO_MANY_REQUESTS:
        return Throttled(f"{service} asks to slow down ({code})")
    if code in _TRANSIENT_CODES or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Unavailable(f"{service} failed ({code or status})")
    return None
