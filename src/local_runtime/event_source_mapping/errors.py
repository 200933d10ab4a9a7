"""The errors of the mapping, and which errors of AWS are transient."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError, IncompleteReadError  # noqa: A004

_NO_RESPONSE = (HTTPClientError, ConnectionError, IncompleteReadError)

# Kinesis and S3 send these codes with a status below 500 (their API references, and AWS's common errors).
_TRANSIENT_CODES = frozenset(
    {
        "ConditionalRequestConflict",
        "KMSThrottlingException",
        "LimitExceededException",
        "OperationAborted",
        "ProvisionedThroughputExceededException",
        "RequestTimeout",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
    }
)


class TransientError(Exception):
    """A call failed, but the same call may succeed later: a throttle, a time-out, a lost connection or a 5xx."""


class IteratorExpired(Exception):
    """The shard iterator is too old; reading continues with a new one from the same position."""


class NotDrained(Exception):
    """Some records were neither acknowledged nor discarded when the time was over."""


@contextmanager
def translate_errors(service: str) -> Iterator[None]:
    """Raise TransientError where a retry can help; let every other error of the service pass unchanged."""
    try:
        yield
    except _NO_RESPONSE as error:
        raise TransientError(f"{service} did not respond ({type(error).__name__})") from error
    except ClientError as error:
        if not _is_transient(error):
            raise
        raise TransientError(f"{service} failed ({error.response.get('Error', {}).get('Code')})") from error


def _is_transient(error: ClientError) -> bool:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return (
        status == HTTPStatus.TOO_MANY_REQUESTS
        or status >= HTTPStatus.INTERNAL_SERVER_ERROR
        or error.response.get("Error", {}).get("Code") in _TRANSIENT_CODES
    )
