"""Which exception becomes which problem. Whatever is not named here is a fault of ours and answers 500."""

import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Annotated, Any, NamedTuple, TypeAlias

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from invoices.errors import InvalidRows, Malformed, Retryable, RowError, Throttled, TooLarge, Unavailable
from invoices.fields import RULES
from pipeline_api.queries import models as parameters

# Why the API refuses a request that its core never sees, or knows nothing of.


class UnsupportedMedia(Exception):
    """The body is of a type, charset or encoding that is not taken."""


class Unauthenticated(Exception):
    """No key, or none that is valid."""


class Forbidden(Exception):
    """The key is valid, but not for this."""


class NotFound(Exception):
    """What a path or a query names is not stored."""


# Every error as problem details (RFC 9457). No answer repeats what the caller sent.

PROBLEM_JSON = "application/problem+json"


class Kind(NamedTuple):
    """A sort of problem: its name never changes, so that programs can rely on it."""

    status: int
    name: str
    title: str

    @property
    def type(self) -> str:
        return f"urn:invoice-stream:problem:{self.name}"


MALFORMED = Kind(400, "malformed", "Malformed request")
UNAUTHENTICATED = Kind(401, "unauthenticated", "API key needed")
FORBIDDEN = Kind(403, "forbidden", "Not permitted")
NOT_FOUND = Kind(404, "not-found", "Not found")
METHOD_NOT_ALLOWED = Kind(405, "method-not-allowed", "Method not allowed")
TOO_LARGE = Kind(413, "too-large", "Too large")
UNSUPPORTED_MEDIA = Kind(415, "unsupported-media-type", "Unsupported media type")
INVALID_ROWS = Kind(422, "invalid-rows", "No valid row")
INVALID_PARAMETERS = Kind(422, "invalid-parameters", "Invalid parameters")
THROTTLED = Kind(429, "throttled", "Too many requests")
INTERNAL = Kind(500, "internal-error", "Internal error")
UNAVAILABLE = Kind(503, "unavailable", "Service unavailable")


class Problem(BaseModel):
    """What went wrong: `type` for programs, `detail` for people."""

    type: str
    title: str
    status: int
    detail: str


class RowFault(BaseModel):
    """Why one row was refused."""

    index: Annotated[int, Field(ge=0, description="The row's place in the request, from 0; blank lines do not count.")]
    field: Annotated[str | None, Field(description="The field at fault; null where the whole row is meant.")]
    message: str


def row_faults(errors: Iterable[RowError]) -> list[RowFault]:
    return [RowFault(index=each.index, field=each.field, message=each.message) for each in errors]


class RowsProblem(Problem):
    """No row could be taken."""

    errors: list[RowFault]


class ParameterFault(BaseModel):
    """Why a parameter was refused."""

    parameter: Annotated[str | None, Field(description="The parameter at fault; null where the route has no such.")]
    message: str


class ParametersProblem(Problem):
    """A parameter of path or query is missing, not known or not valid."""

    errors: list[ParameterFault]


def problem(kind: Kind, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    shown = Problem(type=kind.type, title=kind.title, status=kind.status, detail=detail)
    return problem_response(shown, headers)


def problem_response(shown: Problem, headers: Mapping[str, str] | None = None) -> Response:
    return Response(shown.model_dump_json(), shown.status, headers, PROBLEM_JSON)


Handler: TypeAlias = Callable[[Request, Any], Coroutine[Any, Any, Response]]

_logger = logging.getLogger(__name__)

_THROTTLED_SECONDS = {"Retry-After": "1"}  # Kinesis and DynamoDB count their limits by the second
_CHALLENGE = {"WWW-Authenticate": 'ApiKey realm="invoice-stream"'}  # RFC 9110, 11.6.1: a 401 must have one
_UNAVAILABLE_SECONDS = {"Retry-After": "5"}
_ID_RULES = dict.fromkeys(("InvoiceNo", "CustomerID"), RULES["InvoiceNo"])  # a query's CustomerID cannot be null


async def malformed(_: Request, error: Malformed) -> Response:
    return problem(MALFORMED, str(error))


async def too_large(_: Request, error: TooLarge) -> Response:
    return problem(TOO_LARGE, str(error))


async def unsupported_media(_: Request, error: UnsupportedMedia) -> Response:
    return problem(UNSUPPORTED_MEDIA, str(error), {"Accept-Encoding": "gzip, identity"})


async def invalid_rows(_: Request, error: InvalidRows) -> Response:
    kind = INVALID_ROWS
    faults = row_faults(error.errors)
    return problem_response(
        RowsProblem(type=kind.type, title=kind.title, status=kind.status, detail=str(error), errors=faults)
    )


async def unauthenticated(_: Request, error: Unauthenticated) -> Response:
    return problem(UNAUTHENTICATED, str(error), _CHALLENGE)


async def forbidden(_: Request, error: Forbidden) -> Response:
    return problem(FORBIDDEN, str(error))


async def not_found(_: Request, error: NotFound) -> Response:
    return problem(NOT_FOUND, str(error))


async def throttled(request: Request, error: Throttled) -> Response:
    _log(request, error)
    return problem(THROTTLED, str(error), _THROTTLED_SECONDS)


async def unavailable(request: Request, error: Unavailable) -> Response:
    _log(request, error)
    return problem(UNAVAILABLE, str(error), _UNAVAILABLE_SECONDS)


async def disconnected(_: Request, _error: ClientDisconnect) -> Response:
    return problem(MALFORMED, "the connection was closed before the body had come")


async def internal(request: Request, error: Exception) -> Response:
    """The server logs the trace as well; this line says whose it is."""
    _logger.error("Failed: %s", type(error).__name__, extra=_named(request))
    return problem(INTERNAL, "something is wrong on our side; the log of the API says what")


async def no_route(_: Request, error: HTTPException) -> Response:
    """Starlette's own refusals: no such path, or not with this method."""
    if error.status_code == METHOD_NOT_ALLOWED.status:
        detail = "the route does not take this method; the header Allow names those it takes"
        return problem(METHOD_NOT_ALLOWED, detail, error.headers)
    if error.status_code == NOT_FOUND.status:
        return problem(NOT_FOUND, "there is no such route; /docs lists them all")
    return problem(MALFORMED, "the request cannot be read")


async def invalid_parameters(_: Request, error: RequestValidationError) -> Response:
    kind = INVALID_PARAMETERS
    faults = [_parameter_fault(detail["type"], detail["loc"], detail["msg"]) for detail in error.errors()]
    faults = list({fault.parameter: fault for fault in faults}.values())  # a union has an error for each member
    detail = "a parameter is missing, not known or not valid"
    return problem_response(
        ParametersProblem(type=kind.type, title=kind.title, status=kind.status, detail=detail, errors=faults)
    )


def _log(request: Request, error: Retryable) -> None:
    _logger.warning("Not now: %s", error, extra=_named(request))


def _named(request: Request) -> dict[str, str]:
    """The route's pattern, not the path: that one names a customer. A query has no batch."""
    route = request.scope.get("route")
    return {"batch_id": getattr(request.state, "batch_id", ""), "route": getattr(route, "path", "")}


def _parameter_fault(kind: str, place: Sequence[str | int], message: str) -> ParameterFault:
    """`place` is ("query", name, …). pydantic's own messages name limits and never the value."""
    name = str(place[1])
    match kind:
        case "extra_forbidden":
            return ParameterFault(parameter=None, message="there is a query parameter that the route does not know")
        case "missing":
            return ParameterFault(parameter=name, message="is missing")
        case parameters.REPEATED:
            return ParameterFault(parameter=None, message="there is a query parameter that is given more than once")
        case _:
            return ParameterFault(parameter=name, message=_ID_RULES.get(name, message))


FAULT_HANDLERS: dict[int | type[Exception], Handler] = {
    Malformed: malformed,
    TooLarge: too_large,
    UnsupportedMedia: unsupported_media,
    InvalidRows: invalid_rows,
    Unauthenticated: unauthenticated,
    Forbidden: forbidden,
    NotFound: not_found,
    Throttled: throttled,
    Unavailable: unavailable,
    ClientDisconnect: disconnected,
    HTTPException: no_route,
    RequestValidationError: invalid_parameters,
    Exception: internal,
}
