"""The OpenAPI document describes what the API does."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.pipeline_api.api_calls import Api
from tests.pipeline_api.openapi_document import DOCUMENT, openapi_text

ROUTES = {
    ("/ingest", "post"),
    ("/invoices", "get"),
    ("/invoices/{InvoiceNo}", "get"),
    ("/customers", "get"),
    ("/customers/{CustomerID}", "get"),
    ("/customers/{CustomerID}/invoices", "get"),
    ("/batches", "get"),
    ("/batches/{batch_id}", "get"),
    ("/totals", "get"),
    ("/rejections", "get"),
    ("/rejections/{id}", "get"),
    ("/rejections/{id}/rows/{index}", "post"),
    ("/healthz", "get"),
}


@pytest.fixture
def document(offline_api: Api) -> dict[str, Any]:
    read: dict[str, Any] = offline_api.get("/openapi.json").json()
    return read


def operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return (operation for path in document["paths"].values() for operation in path.values())


def references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        yield from (value for name, value in node.items() if name == "$ref")
        yield from (found for value in node.values() for found in references(value))
    elif isinstance(node, list):
        yield from (found for value in node for found in references(value))


def test_it_has_every_route_and_no_other(document: dict[str, Any]) -> None:
    """The files of the docs page are left out."""
    assert {(path, method) for path, methods in document["paths"].items() for method in methods} == ROUTES


def test_every_route_has_a_tag_a_summary_and_a_description(document: dict[str, Any]) -> None:
    """The docs page shows them."""
    tags = {tag["name"] for tag in document["tags"]}
    for operation in operations(document):
        assert operation["tags"][0] in tags
        assert operation["summary"]
        assert operation["description"]


def test_every_id_has_an_example(document: dict[str, Any]) -> None:
    """The docs page fills it in for a first try."""
    parameters = [each for operation in operations(document) for each in operation.get("parameters", [])]
    ids = {each["name"]: each["schema"]["examples"] for each in parameters if each["required"]}
    assert ids == {
        "InvoiceNo": ["536365"],
        "CustomerID": ["17850"],
        "batch_id": ["01939f3e-8a00-7c3e-9d5b-3f1f0c2a4b6d"],
        "id": ["2026-11-26.43195.01939f3e-8a00-7c3e-9d5b-3f1f0c2a4b6d.0f1e2d3c4b5a6978"],
        "index": [1],
    }


def test_every_error_is_a_problem(document: dict[str, Any]) -> None:
    """FastAPI's own 422 is gone, because it repeats the caller's values."""
    for operation in operations(document):
        for status, response in operation["responses"].items():
            assert (status < "300") == ("application/problem+json" not in response["content"])
    assert "HTTPValidationError" not in json.dumps(document)


def test_every_reference_has_its_schema(document: dict[str, Any]) -> None:
    """And every schema is used."""
    schemas = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(references(document)) | {"#/components/schemas/RowError"} == schemas


@pytest.mark.parametrize("compress", [False, True])
def test_every_example_of_a_body_is_accepted(document: dict[str, Any], offline_api: Api, *, compress: bool) -> None:
    """So they can be sent from the docs page as they are."""
    content = document["paths"]["/ingest"]["post"]["requestBody"]["content"]
    for media_type, media in content.items():
        for example in media["examples"].values():
            value = example["value"]
            body = (value if isinstance(value, str) else json.dumps(value)).encode()
            headers = {"Content-Type": media_type, "Content-Encoding": "gzip" if compress else "identity"}
            answer = offline_api.ingest(gzip.compress(body) if compress else body, headers)
            assert (answer.status_code, answer.json()["rejected"]) == (202, 0)


def test_the_committed_document_is_current() -> None:
    """So a review shows each change of the API."""
    assert DOCUMENT.read_text() == openapi_text(), "docs/openapi.json is not current: run `make docs`"
