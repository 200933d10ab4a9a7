"""Problems in the OpenAPI document, in place of FastAPI's own 422."""

from typing import Any, TypeAlias

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from invoices.fields import RULES
from invoices.limits import MAX_BODY_BYTES
from pipeline_api import errors as problems
from pipeline_api.errors import PROBLEM_JSON, Kind, ParametersProblem, Problem, RowsProblem

REF_TEMPLATE = "#/components/schemas/{model}"
Responses: TypeAlias = dict[int | str, dict[str, Any]]

_RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait before the same call.", "schema": {"type": "integer"}}}


def _documented(kind: Kind, detail: str, model: type[Problem] = Problem, **more: object) -> Responses:
    example = {"type": kind.type, "title": kind.title, "status": kind.status, "detail": detail, **more}
    schema = {"$ref": REF_TEMPLATE.format(model=model.__name__)}
    return {kind.status: {"description": kind.title, "content": {PROBLEM_JSON: {"schema": schema, "example": example}}}}


def _with_retry_after(responses: Responses) -> Responses:
    return {status: {**response, "headers": _RETRY_AFTER} for status, response in responses.items()}


def _service_problems(service: str) -> Responses:
    """What a route that asks a service may answer."""
    return (
        _with_retry_after(_documented(problems.THROTTLED, f"{service} asks to slow down (ThrottlingException)"))
        | _documented(problems.INTERNAL, "something is wrong on our side; the log of the API says what")
        | _with_retry_after(_documented(problems.UNAVAILABLE, f"{service} did not answer (ReadTimeoutError)"))
    )


KEY_PROBLEMS = _documented(problems.UNAUTHENTICATED, "a valid API key is needed in the header X-Api-Key") | _documented(
    problems.FORBIDDEN, "the API key does not permit this"
)

INGEST_PROBLEMS = (
    _documented(problems.MALFORMED, "the bytes are not valid gzip")
    | _documented(
        problems.TOO_LARGE,
        f"the body is too large: {10_000_000:,} bytes, and the limit is {MAX_BODY_BYTES:,} bytes",
    )
    | _documented(problems.UNSUPPORTED_MEDIA, "Content-Type must be application/json or application/x-ndjson")
    | _documented(
        problems.INVALID_ROWS,
        "not one row is valid",
        RowsProblem,
        errors=[{"index": 0, "field": "Quantity", "message": RULES["Quantity"]}],
    )
    | _service_problems("Kinesis")
)


def read_problems(what: str, parameter: str, *, paged: bool) -> Responses:
    """The problems of a query for one `what`, named by `parameter`."""
    fault = {"parameter": parameter, "message": RULES["InvoiceNo"]}
    detail = "a parameter is missing, not known or not valid"
    token = _documented(problems.MALFORMED, "next_token is not one that this query answered")
    return (
        (token if paged else {})
        | _documented(problems.NOT_FOUND, f"no such {what}")
        | _documented(problems.INVALID_PARAMETERS, detail, ParametersProblem, errors=[fault])
        | _service_problems("DynamoDB")
    )


def schemas_of(*models: type[BaseModel]) -> dict[str, Any]:
    """The component schemas of models that the routes name by reference only."""
    _, document = models_json_schema([(model, "validation") for model in models], ref_template=REF_TEMPLATE)
    return dict(document["$defs"])
