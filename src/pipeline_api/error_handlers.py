"""Which exception becomes which problem: one table, and the exception handlers that follow from it.

The OpenAPI document is made from the same table. An exception that the table does not name is a bug and answers 500.
"""

import logging
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from aws.resend import CustomerErased
from invoices.errors import InvalidRows, Malformed, Retryable, Throttled, TooLarge, Unavailable
from invoices.fields import RULES
from invoices.rows import close_name
from pipeline_api.problems import (
    PROBLEM_JSON,
    Forbidden,
    NotFound,
    ParameterError,
    ParametersProblem,
    Problem,
    ReceiptNotFound,
    RowsProblem,
    SentBefore,
    TooManyBodies,
    TooManyLines,
    Unauthenticated,
    UnsupportedMedia,
)


class ProblemType(NamedTuple):
    """`name` ends up in the URN in `type`, so it never changes. Without `detail` the exception's message is used."""

    status: int
    name: str
    title: str
    detail: str = ""
    headers: Mapping[str, str] = MappingProxyType({})


_MALFORMED = ProblemType(400, "malformed", "Malformed request")
_NOT_FOUND = ProblemType(404, "not-found", "Not found")

PROBLEM_TYPES: Mapping[int | type[Exception], ProblemType] = {
    Malformed: _MALFORMED,
    ClientDisconnect: _MALFORMED._replace(detail="The connection was closed before the whole body arrived."),
    HTTPException: _MALFORMED._replace(detail="The request cannot be read."),
    Unauthenticated: ProblemType(
        401,
        "unauthenticated",
        "No valid API key",
        headers={"WWW-Authenticate": 'ApiKey realm="invoice-stream"'},  # RFC 9110, 11.6.1: a 401 must have one
    ),
    Forbidden: ProblemType(403, "forbidden", "Not permitted"),
    NotFound: _NOT_FOUND,
    ReceiptNotFound: _NOT_FOUND._replace(headers={"Retry-After": "1"}),  # rows are queryable within a second
    404: _NOT_FOUND._replace(detail="There is no such route; /docs lists all routes."),
    405: ProblemType(
        405,
        "method-not-allowed",
        "Method not allowed",
        "The route does not support this method; the header Allow lists the methods that it supports.",
    ),
    TooManyLines: ProblemType(409, "too-many-lines", "Too many lines"),
    TooManyBodies: ProblemType(409, "too-many-bodies", "Too many bodies"),
    SentBefore: ProblemType(409, "sent-before", "Sent before"),
    CustomerErased: ProblemType(409, "customer-erased", "Customer erased"),
    TooLarge: ProblemType(413, "too-large", "Too large"),
    UnsupportedMedia: ProblemType(
        415, "unsupported-media-type", "Unsupported media type", headers={"Accept-Encoding": "gzip, identity"}
    ),
    InvalidRows: ProblemType(422, "invalid-rows", "No valid row"),
    RequestValidationError: ProblemType(
        422, "invalid-parameters", "Invalid parameters", "A parameter is missing, unknown or invalid."
    ),
    Throttled: ProblemType(
        429,
        "throttled",
        "Too many requests",
        headers={"Retry-After": "1"},  # Kinesis and DynamoDB apply their limits to each second
    ),
    Exception: ProblemType(500, "internal-error", "Internal error", "Internal error; see the API log."),
    Unavailable: ProblemType(503, "unavailable", "Service unavailable", headers={"Retry-After": "5"}),
}
"""By the type of the exception, or by the status of an HTTPException that Starlette raises."""


def problem_for(error: Exception, problem_type: ProblemType) -> Problem:
    """The problem that an exception becomes. `problem_type` is its entry in PROBLEM_TYPES."""
    problem = Problem(
        type=f"urn:invoice-stream:problem:{problem_type.name}",
        title=problem_type.title,
        status=problem_type.status,
        detail=problem_type.detail or _sentence(str(error)),
    )
    if isinstance(error, InvalidRows):
        return RowsProblem(**dict(problem), errors=list(error.errors))
    if isinstance(error, RequestValidationError):
        return ParametersProblem(**dict(problem), errors=_parameter_errors(error))
    return problem


def _sentence(message: str) -> str:
    """Messages of exceptions have no capital letter and no full stop, because logs put them into a longer line."""
    return f"{message[:1].upper()}{message[1:]}."


_ID_RULES: Mapping[str | None, str] = dict.fromkeys(("InvoiceNo", "CustomerID"), RULES["InvoiceNo"])
"""The field `CustomerID` of a row may be null; the parameter may not."""


def _parameter_errors(error: RequestValidationError) -> list[ParameterError]:
    """One for each parameter: pydantic reports an error for each type that a parameter may have."""
    errors = [_parameter_error(detail) for detail in error.errors()]
    return list({each.parameter: each for each in errors}.values())


def _parameter_error(detail: ErrorDetails) -> ParameterError:
    """`loc` is ("query" or "path", name, …). pydantic's messages name limits, never the value."""
    _, *names = map(str, detail["loc"])
    name = names[0] if names else None
    if detail["type"] == "extra_forbidden":
        return _unknown_parameter(str(name))
    message = "is missing" if detail["type"] == "missing" else _ID_RULES.get(name, detail["msg"])
    return ParameterError(parameter=name, message=message)


QUERY_PARAMETERS = ("InvoiceNo", "CustomerID", "limit", "next_token", "from", "to", "by", "field", "reason")
"""Of all routes."""


def _unknown_parameter(name: str) -> ParameterError:
    close = close_name(name, (*QUERY_PARAMETERS, *RULES))
    if close is None:
        return ParameterError(parameter=None, message="a query parameter is unknown")
    mistake = "is not a parameter of this route" if name == close else f"is unknown (did you mean {close}?)"
    return ParameterError(parameter=name, message=mistake)


_Handler: TypeAlias = Callable[[Request, Any], Coroutine[Any, Any, Response]]

_logger = logging.getLogger(__name__)


async def _respond(problem_type: ProblemType, request: Request, error: Exception) -> Response:
    _log(request, error, problem_type)
    headers = dict(problem_type.headers)
    if isinstance(error, HTTPException):
        headers |= error.headers or {}  # Allow, with a 405
    body = problem_for(error, problem_type).model_dump_json()
    return Response(body, problem_type.status, headers, PROBLEM_JSON)


def _log(request: Request, error: Exception, problem_type: ProblemType) -> None:
    """Log the errors that the caller did not cause. The server logs the traceback of a bug by itself.

    The route is logged as its pattern: the path may name a customer.
    """
    route = getattr(request.scope.get("route"), "path", "")
    extra = {"batch_id": getattr(request.state, "batch_id", ""), "route": route}
    if isinstance(error, Retryable):
        _logger.warning("Transient error: %s", error, extra=extra)
    elif problem_type is PROBLEM_TYPES[Exception]:
        _logger.error("Failed: %s", type(error).__name__, extra=extra)


EXCEPTION_HANDLERS: Mapping[int | type[Exception], _Handler] = {
    key: partial(_respond, problem_type) for key, problem_type in PROBLEM_TYPES.items()
}
