"""The API over HTTP: what is asked, when a request is retried, and what a response must look like."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from ipaddress import ip_address
from typing import TypedDict, TypeGuard, cast

import httpx
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type

from client.environment import Environment
from client.errors import ApiUnavailable, BadInput, BodyTooLarge, NotFound, RequestRefused, UnexpectedResponse

MAX_ATTEMPTS = 7
RETRIED_STATUSES = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
_NOT_TAKEN = frozenset(
    {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}
)
"""After these the API has no row of the request; another server may have answered."""

KEY_HELP = (
    "Set the key with --api-key or INVOICE_API_KEY. `make run` writes one to .local/env (`set -a; . .local/env`); for "
    "a deployment an operator makes one with `invoice-stream ops keys create NAME --scope ingest --scope read`."
)
_HELP: Mapping[int, str] = {
    HTTPStatus.UNAUTHORIZED: f" {KEY_HELP}",
    HTTPStatus.FORBIDDEN: " A key needs ingest to send, in addition correct to take lines back, and read to look up.",
}
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 15.0
_LONGEST_RETRY_AFTER_SECONDS = 60.0  # a longer Retry-After is cut, so that no response can stall an upload
_HIGHEST_PORT = 65535
_IS_IT_THE_API = "Is this the address of the invoice API?"
_TIMEOUT = httpx.Timeout(connect=5, read=35, write=35, pool=35)  # the gateway gives up after 30 s


@dataclass(frozen=True, slots=True)
class Address:
    """Where the API is, and the key that it asks for, if any."""

    url: str
    key: str | None = None


class RowError(TypedDict):
    """`index` counts the rows of the batch from 0; `field` is None where the whole row is meant."""

    index: int
    field: str | None
    message: str


class IngestResponse(TypedDict):
    """What became of a batch; `errors` names every rejected row at least once."""

    accepted: int
    rejected: int
    errors: Sequence[RowError]


@asynccontextmanager
async def open_api(
    address: Address,
    environment: Environment,
    is_stopped: Callable[[], bool] = lambda: False,
    warn: Callable[[str], None] = lambda _text: None,
) -> AsyncIterator["Api"]:
    """The API at an address. `warn` gets a sentence when a request is first retried.

    Raises BadInput where that is not an HTTP address.
    """
    url = parse_url(address.url)
    headers = {"Accept": "application/json"} | ({"X-Api-Key": address.key} if address.key else {})
    client = httpx.AsyncClient(
        base_url=url,
        headers=headers,
        timeout=_TIMEOUT,
        transport=environment.transport,
        trust_env=not _is_loopback(url),
        verify=url.scheme == "https",  # httpx would load certificates for plain HTTP, too, which takes 14 ms
    )
    async with client:
        yield Api(client, environment, is_stopped, warn)


class Api:
    """Sends each request until there is a usable response. After `is_stopped` a failed attempt is the last one.

    `may_have_received` is False until the API may have taken a request: before, no connection was made, or each request
    was refused without a look at its rows.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        environment: Environment,
        is_stopped: Callable[[], bool],
        warn: Callable[[str], None],
    ) -> None:
        self._client = client
        self._environment = environment
        self._is_stopped = is_stopped
        self._warn: Callable[[str], None] | None = warn
        self.may_have_received = False

    async def ingest(self, key: str, body: bytes, rows: int) -> IngestResponse:
        """Send a batch of `rows` rows as gzip NDJSON, under the same key on every attempt.

        Raises BodyTooLarge, or an ApiError.
        """
        headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip", "Idempotency-Key": key}
        response = await self._send(self._client.build_request("POST", "ingest", content=body, headers=headers))
        match response.status_code:
            case HTTPStatus.ACCEPTED:
                content = _json_object(response)
                if content.get("batch_id") != key:
                    raise UnexpectedResponse("The API's response is for another batch.")
                return parse_ingest_response(content, rows)
            case HTTPStatus.UNPROCESSABLE_ENTITY:
                return parse_ingest_response({**_json_object(response), "accepted": 0, "rejected": rows}, rows)
            case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                raise BodyTooLarge(_problem_text(response))
        raise _error(response)

    async def get(self, path: str, query: Mapping[str, str]) -> dict[str, object]:
        """The JSON object at `path`. Raises NotFound, or an ApiError."""
        response = await self._send(self._client.build_request("GET", path, params=query))
        if response.status_code == HTTPStatus.NOT_FOUND and _problem_parts(response):
            raise NotFound(_problem_text(response))
        if response.status_code != HTTPStatus.OK:
            raise _error(response)
        return _json_object(response)

    async def _send(self, request: httpx.Request) -> httpx.Response:
        attempts = AsyncRetrying(
            retry=retry_if_exception_type(TransientError),
            stop=lambda state: state.attempt_number >= MAX_ATTEMPTS or self._is_stopped(),
            wait=self._pause,
            before_sleep=self._announce_retries,
            sleep=self._environment.sleep,
            reraise=True,
        )
        try:
            return await attempts(self._attempt, request)
        except TransientError as error:
            raise ApiUnavailable(f"The API at {self._url} gave no usable response: {error}.") from error

    async def _attempt(self, request: httpx.Request) -> httpx.Response:
        try:
            response = await self._client.send(request)
        except (asyncio.CancelledError, KeyboardInterrupt):  # nobody knows how far the request came
            self.may_have_received = True
            raise
        except httpx.TransportError as error:
            self.may_have_received = self.may_have_received or not isinstance(error, _NOT_CONNECTED)
            raise TransientError(_transport_error_text(error)) from error
        except httpx.HTTPError as error:
            raise UnexpectedResponse(f"The API's response cannot be read ({type(error).__name__}).") from error
        self.may_have_received = self.may_have_received or response.status_code not in _NOT_TAKEN
        if response.status_code in RETRIED_STATUSES:
            raise TransientError(_problem_text(response), _retry_after(response, self._environment.now()))
        return response

    @property
    def _url(self) -> str:
        return str(self._client.base_url.copy_with(username=None, password=None)).rstrip("/")

    def _announce_retries(self, state: RetryCallState) -> None:
        """Once for an upload: a user who mistyped the address should not wait in silence."""
        if self._warn:
            error = state.outcome.exception() if state.outcome else None
            self._warn(f"{self._url}: {error}. Trying again, {MAX_ATTEMPTS} times in all, for about half a minute …")
            self._warn = None

    def _pause(self, state: RetryCallState) -> float:
        """Seconds; doubles with each attempt. Half of it is random, so that clients that fail together spread out."""
        longest = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** (state.attempt_number - 1))
        error = state.outcome.exception() if state.outcome else None
        retry_after = error.retry_after if isinstance(error, TransientError) else 0.0
        return max(retry_after, self._environment.uniform(longest / 2, longest))


_NOT_CONNECTED = (httpx.ConnectError, httpx.ConnectTimeout)


def _transport_error_text(error: httpx.TransportError) -> str:
    """What went wrong in words; httpx keeps the system's error as the cause."""
    causes: list[BaseException] = [error]
    while cause := causes[-1].__cause__ or causes[-1].__context__:
        causes.append(cause)
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            return f"no secure connection (TLS): {cause.strerror or cause}"
        if isinstance(cause, socket.gaierror):
            return "there is no host of this name"
        if isinstance(cause, ConnectionRefusedError):
            return "the connection was refused: no server listens there"
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    return f"the connection failed ({type(error).__name__})"


class TransientError(Exception):
    """An attempt that failed and that the next one may repair; `retry_after` is in seconds, as the API asks for."""

    def __init__(self, message: str, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


def parse_url(text: str) -> httpx.URL:
    """Raises BadInput where this is not an HTTP address."""
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise BadInput("The address of the API is not a URL.") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise BadInput("The address of the API must begin with http:// or https:// and name a host.")
    if url.port is not None and not 0 < url.port <= _HIGHEST_PORT:
        raise BadInput(f"The address of the API has port {url.port}. Ports are numbers from 1 to {_HIGHEST_PORT}.")
    return url


def parse_ingest_response(body: Mapping[str, object], rows: int) -> IngestResponse:
    """Raises UnexpectedResponse unless the response accounts for every one of `rows` rows."""
    errors = body.get("errors")
    if not _are_row_errors(errors):
        raise UnexpectedResponse("The API's response has no valid list of row errors.")
    accepted, rejected = _count(body, "accepted"), _count(body, "rejected")
    named = {error["index"] for error in errors}
    adds_up = accepted >= 0 and accepted + rejected == rows
    if not adds_up or len(named) != rejected or not all(0 <= index < rows for index in named):
        raise UnexpectedResponse(
            f"The API's response does not add up: {rows:,} rows were sent, {accepted:,} accepted, {rejected:,} "
            f"rejected, and its errors name {len(named):,} rows."
        )
    return IngestResponse(accepted=accepted, rejected=rejected, errors=errors)


def _is_loopback(url: httpx.URL) -> bool:
    """A proxy that environment variables name cannot reach this machine's own loopback addresses."""
    try:
        return ip_address(url.host).is_loopback
    except ValueError:
        return url.host == "localhost"


def _error(response: httpx.Response) -> RequestRefused | UnexpectedResponse:
    if response.is_client_error:
        help_text = _HELP.get(response.status_code, "" if _problem_parts(response) else f" {_IS_IT_THE_API}")
        return RequestRefused(
            f"The API refused the request ({response.status_code}): {_problem_text(response)}.{help_text}"
        )
    return UnexpectedResponse(f"The API does not answer with status {response.status_code}. {_IS_IT_THE_API}")


def _problem_text(response: httpx.Response) -> str:
    """Title and detail of a problem document (RFC 9457), else the status."""
    return ": ".join(_problem_parts(response)).removesuffix(".") or f"{response.status_code} {response.reason_phrase}"


def _problem_parts(response: httpx.Response) -> list[str]:
    """Empty where the response is no problem document: another server, or a gateway, may have answered."""
    try:
        body = _json_object(response)
    except UnexpectedResponse:
        return []
    return [part for part in (body.get("title"), body.get("detail")) if isinstance(part, str) and part]


def _retry_after(response: httpx.Response, now: float) -> float:
    """The pause in seconds that a response asks for, as a number or as a date; 0 where it asks for none."""
    text = response.headers.get("Retry-After", "")
    try:
        asked = float(text) if text.isdecimal() else parsedate_to_datetime(text).timestamp() - now
    except (ValueError, OverflowError):
        return 0.0
    return min(max(asked, 0.0), _LONGEST_RETRY_AFTER_SECONDS)


def _json_object(response: httpx.Response) -> dict[str, object]:
    try:
        body: object = response.json()
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise UnexpectedResponse(f"The response ({response.status_code}) is not a JSON object. {_IS_IT_THE_API}")
    return cast("dict[str, object]", body)


def _are_row_errors(value: object) -> TypeGuard[list[RowError]]:
    return isinstance(value, list) and all(
        isinstance(each, dict)
        and type(each.get("index")) is int
        and isinstance(each.get("field"), str | None)
        and isinstance(each.get("message"), str)
        for each in value
    )


def _count(body: Mapping[str, object], name: str) -> int:
    value = body.get(name)
    if type(value) is not int:
        raise UnexpectedResponse(f"The API's response does not say how many rows were {name}.")
    return value
