"""Every error as problem details (RFC 9457). No answer repeats what the caller sent."""

from collections.abc import Iterable, Mapping
from typing import Annotated, NamedTuple

from fastapi import Response
from pydantic import BaseModel, Field

from invoices.errors import RowError

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
