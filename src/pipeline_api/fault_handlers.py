"""Which exception becomes which problem. Whatever is not named here is a fault of ours and answers 500."""

import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeAlias

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from invoices.errors import InvalidRows, Malformed, Retryable, Throttled, TooLarge, Unavailable
from invoices.field_rules import RULES
from pipeline_api import problems
from pipeline_api.problems import (
    ParameterFault,
    ParametersProblem,
    RowsProblem,
    problem,
    problem_response,
    row_faults,
)
from pipeline_api.reads import parameters
from pipeline_api.refusals import Forbidden, NotFound, Unauthenticated, UnsupportedMedia

Handler: TypeAlias = Callable[[Request, Any], Coroutine[Any, Any, Response]]

_logger = logging.getLogger(__name__)

_THROTTLED_SECONDS = {"Retry-After": "1"}  # Kinesis and DynamoDB count their limits by the second
_CHALLENGE = {"WWW-Authenticate": 'ApiKey realm="invoice-stream"'}  # RFC 9110, 11.6.1: a 401 must have one
_UNAVAILABLE_SECONDS = {"Retry-After": "5"}
_ID_RULES = dict.fromkeys(("InvoiceNo", "CustomerID"), RULES["InvoiceNo"])  # a query's CustomerID cannot be null


async def malformed(_: Request, error: Malformed) -> Response:
    return problem(problems.MALFORMED, str(error))


async def too_large(_: Request, error: TooLarge) -> Response:
    return problem(problems.TOO_LARGE, str(error))


async def unsupported_media(_: Request, error: UnsupportedMedia) -> Response:
    return problem(problems.UNSUPPORTED_MEDIA, str(error), {"Accept-Encoding": "gzip, identity"})


async def invalid_rows(_: Request, error: InvalidRows) -> Response:
    kind = problems.INVALID_ROWS
    faults = row_faults(error.errors)
    return problem_response(
        RowsProblem(type=kind.type, title=kind.title, status=kind.status, detail=str(error), errors=faults)
    )


async def unauthenticated(_: Request, error: Unauthenticated) -> Response:
    return problem(problems.UNAUTHENTICATED, str(error), _CHALLENGE)


async def forbidden(_: Request, error: Forbidden) -> Response:
    return problem(problems.FORBIDDEN, str(error))


async def not_found(_: Request, error: NotFound) -> Response:
    return problem(problems.NOT_FOUND, str(error))


async def throttled(request: Request, error: Throttled) -> Response:
    _log(request, error)
    return problem(problems.THROTTLED, str(error), _THROTTLED_SECONDS)


async def unavailable(request: Request, error: Unavailable) -> Response:
    _log(request, error)
    return problem(problems.UNAVAILABLE, str(error), _UNAVAILABLE_SECONDS)


async def disconnected(_: Request, _error: ClientDisconnect) -> Response:
    return problem(problems.MALFORMED, "the connection was closed before the body had come")


async def internal(request: Request, error: Exception) -> Response:
    """The server logs the trace as well; this line says whose it is."""
    _logger.error("Failed: %s", type(error).__name__, extra=_named(request))
    return problem(problems.INTERNAL, "something is wrong on our side; the log of the API says what")


async def no_route(_: Request, error: HTTPException) -> Response:
    """Starlette's own refusals: no such path, or not with this method."""
    if error.status_code == problems.METHOD_NOT_ALLOWED.status:
        detail = "the route does not take this method; the header Allow names those it takes"
        return problem(problems.METHOD_NOT_ALLOWED, detail, error.headers)
    if error.status_code == problems.NOT_FOUND.status:
        return problem(problems.NOT_FOUND, "there is no such route; /docs lists them all")
    return problem(problems.MALFORMED, "the request cannot be read")


async def invalid_parameters(_: Request, error: RequestValidationError) -> Response:
    kind = problems.INVALID_PARAMETERS
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
