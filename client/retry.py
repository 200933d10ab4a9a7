"""When a request is made again, and after what pause."""

from collections.abc import Callable
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpx
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type

from client.outside import Outside

RETRIED_STATUSES = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
MAX_ATTEMPTS = 7
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 15.0
_LONGEST_ASKED_PAUSE_SECONDS = 60.0  # of Retry-After: a longer one is cut, so that no answer can stall us


class Passing(Exception):
    """A failure that the next attempt may not have; `retry_after` is the pause in seconds that the API asks for."""

    def __init__(self, message: str, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


def retrying(outside: Outside, is_over: Callable[[], bool]) -> AsyncRetrying:
    """Attempts that end with the last one's Passing; once `is_over` there is no further one."""
    return AsyncRetrying(
        retry=retry_if_exception_type(Passing),
        stop=lambda state: state.attempt_number >= MAX_ATTEMPTS or is_over(),
        wait=lambda state: _pause(state, outside.uniform),
        sleep=outside.sleep,
        reraise=True,
    )


def _pause(state: RetryCallState, uniform: Callable[[float, float], float]) -> float:
    """Doubles with each attempt; half of it is chance, so that clients that failed together do not come together."""
    longest = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** (state.attempt_number - 1))
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, Passing) else 0.0
    return max(asked, uniform(longest / 2, longest))


def retry_after(response: httpx.Response, now: float) -> float:
    """The pause in seconds that a response asks for, as a number or as a date; 0 where it asks for none."""
    text = response.headers.get("Retry-After", "")
    try:
        asked = float(text) if text.isdecimal() else parsedate_to_datetime(text).timestamp() - now
    except (ValueError, OverflowError):
        return 0.0
    return min(max(asked, 0.0), _LONGEST_ASKED_PAUSE_SECONDS)
