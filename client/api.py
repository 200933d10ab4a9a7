"""The API over HTTP: what is asked, with what patience, and what a status means."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from ipaddress import ip_address

import httpx
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type

from client.batches import Batch
from client.environment import Environment
from client.errors import ApiUnavailable, BadInput, BodyTooLarge, NotFound, RequestRefused, UnexpectedResponse
from client.responses import IngestResponse, json_object, problem_text, read_ingest_answer

# When a request is made again, and after what pause.

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


class TransientError(Exception):
    """A failure that the next attempt may not have; `retry_after` is the pause in seconds that the API asks for."""

    def __init__(self, message: str, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


def retrying(environment: Environment, is_over: Callable[[], bool]) -> AsyncRetrying:
    """Attempts that end with the last one's TransientError; once `is_over` there is no further one."""
    return AsyncRetrying(
        retry=retry_if_exception_type(TransientError),
        stop=lambda state: state.attempt_number >= MAX_ATTEMPTS or is_over(),
        wait=lambda state: _pause(state, environment.uniform),
        sleep=environment.sleep,
        reraise=True,
    )


def _pause(state: RetryCallState, uniform: Callable[[float, float], float]) -> float:
    """Doubles with each attempt; half of it is chance, so that clients that failed together do not come together."""
    longest = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** (state.attempt_number - 1))
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, TransientError) else 0.0
    return max(asked, uniform(longest / 2, longest))


def retry_after(response: httpx.Response, now: float) -> float:
    """The pause in seconds that a response asks for, as a number or as a date; 0 where it asks for none."""
    text = response.headers.get("Retry-After", "")
    try:
        asked = float(text) if text.isdecimal() else parsedate_to_datetime(text).timestamp() - now
    except (ValueError, OverflowError):
        return 0.0
    return min(max(asked, 0.0), _LONGEST_ASKED_PAUSE_SECONDS)


_TIMEOUT = httpx.Timeout(connect=5, read=35, write=35, pool=35)  # the gateway gives up after 30 s


@dataclass(frozen=True, slots=True)
class Address:
    """Where the API is, and the key that it asks for, if any."""

    url: str
    key: str | None = None


class Api:
    """Asks until there is an answer; once `is_over` says so, a failed attempt is the last."""

    def __init__(self, client: httpx.AsyncClient, environment: Environment, is_over: Callable[[], bool]) -> None:
        self._client = client
        self._environment = environment
        self._is_over = is_over

    async def ingest(self, batch: Batch) -> IngestResponse:
        """Send a batch, on every attempt under its own key. Raises BodyTooLarge, or an ApiError."""
        headers = {
            "Content-Type": "application/x-ndjson",
            "Content-Encoding": "gzip",
            "Idempotency-Key": batch.key,
        }
        response = await self._ask(self._client.build_request("POST", "ingest", content=batch.body, headers=headers))
        if response.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            raise BodyTooLarge(problem_text(response))
        if response.status_code not in (HTTPStatus.ACCEPTED, HTTPStatus.UNPROCESSABLE_ENTITY):
            raise _failure(response)
        return read_ingest_answer(response, batch.key, len(batch.rows))

    async def get(self, path: str, query: Mapping[str, str]) -> dict[str, object]:
        """The JSON object at `path`. Raises NotFound on 404, or an ApiError."""
        response = await self._ask(self._client.build_request("GET", path, params=query))
        if response.status_code == HTTPStatus.NOT_FOUND:
            raise NotFound(problem_text(response))
        if response.status_code != HTTPStatus.OK:
            raise _failure(response)
        return json_object(response)

    async def _ask(self, request: httpx.Request) -> httpx.Response:
        try:
            return await retrying(self._environment, self._is_over)(self._attempt, request)
        except TransientError as error:
            raise ApiUnavailable(f"The API gives no usable answer: {error}.") from error

    async def _attempt(self, request: httpx.Request) -> httpx.Response:
        try:
            response = await self._client.send(request)
        except httpx.TransportError as error:
            raise TransientError(type(error).__name__) from error
        except httpx.HTTPError as error:
            raise UnexpectedResponse(f"The answer cannot be read ({type(error).__name__}).") from error
        if response.status_code in RETRIED_STATUSES:
            raise TransientError(problem_text(response), retry_after(response, self._environment.now()))
        return response


@asynccontextmanager
async def open_api(address: Address, environment: Environment, is_over: Callable[[], bool]) -> AsyncIterator[Api]:
    """The API at an address. Raises BadInput where that is no HTTP address."""
    url = checked_url(address.url)
    headers = {"Accept": "application/json"} | ({"X-Api-Key": address.key} if address.key else {})
    client = httpx.AsyncClient(
        base_url=url,
        headers=headers,
        timeout=_TIMEOUT,
        transport=environment.transport,
        trust_env=not _is_loopback(url),
        verify=url.scheme == "https",  # else the authorities' certificates are read in vain, for 14 ms
    )
    async with client:
        yield Api(client, environment, is_over)


def checked_url(text: str) -> httpx.URL:
    """Raises BadInput where this is no HTTP address."""
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise BadInput("The address of the API is no URL.") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise BadInput("The address of the API must begin with http:// or https:// and name a host.")
    return url


def _is_loopback(url: httpx.URL) -> bool:
    """A proxy from the environment cannot reach this machine's own loopback addresses."""
    try:
        return ip_address(url.host).is_loopback
    except ValueError:
        return url.host == "localhost"


def _failure(response: httpx.Response) -> RequestRefused | UnexpectedResponse:
    if response.is_client_error:
        return RequestRefused(f"The API refuses the request ({response.status_code}): {problem_text(response)}.")
    return UnexpectedResponse(f"The API never answers {response.status_code}; is this the address of the invoice API?")
