"""Problems in the OpenAPI document: they replace the 422 that FastAPI documents by itself."""

from typing import Any, TypeAlias

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from invoices.errors import Throttled, Unavailable
from pipeline_api.error_handlers import PROBLEM_TYPES, problem_for
from pipeline_api.problems import PROBLEM_JSON

Responses: TypeAlias = dict[int | str, dict[str, Any]]

_REF_TEMPLATE = "#/components/schemas/{model}"
_RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait before a retry.", "schema": {"type": "integer"}}}


def problem_responses(*errors: Exception) -> Responses:
    """Document the problem that each exception becomes, with this problem as the example."""
    return {PROBLEM_TYPES[type(error)].status: _problem_response(error) for error in errors}


def service_problems(service: str) -> Responses:
    """The problems of a route that calls an AWS service."""
    return problem_responses(
        Throttled(f"{service} asks to slow down (ThrottlingException)"),
        Exception(),
        Unavailable(f"{service} did not answer (ReadTimeoutError)"),
    )


def _problem_response(error: Exception) -> dict[str, Any]:
    problem_type = PROBLEM_TYPES[type(error)]
    problem = problem_for(error, problem_type)
    content = {"schema": schema_reference(type(problem)), "example": problem.model_dump()}
    headers = {"headers": _RETRY_AFTER} if "Retry-After" in problem_type.headers else {}
    return {"description": problem_type.title, "content": {PROBLEM_JSON: content}, **headers}


def schema_reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REF_TEMPLATE.format(model=model.__name__)}


def component_schemas(*models: type[BaseModel]) -> dict[str, Any]:
    """The schemas of models that the document names by reference only."""
    _, document = models_json_schema([(model, "validation") for model in models], ref_template=_REF_TEMPLATE)
    return dict(document["$defs"])
