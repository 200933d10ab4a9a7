"""Routes, methods and the headers of every response."""

import pytest

from tests.pipeline_api.api_calls import Api


def test_health_calls_no_other_service(offline_api: Api) -> None:
    """It works without the tables and the stream."""
    answer = offline_api.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", ["/Jane-Doe", "/invoices/", "/invoices/1/lines", "/ingest/", "/redoc"])
def test_an_unknown_route_is_a_problem(path: str, offline_api: Api) -> None:
    """The problem mentions the docs and does not repeat the path."""
    answer = offline_api.get(path)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:invoice-stream:problem:not-found",
        "title": "Not found",
        "status": 404,
        "detail": "There is no such route; /docs lists all routes.",
    }


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/ingest", "POST"),
        ("PUT", "/ingest", "POST"),
        ("POST", "/invoices/1", "GET"),
        ("DELETE", "/customers/1", "GET"),
        ("POST", "/docs", "GET"),
        ("POST", "/", "GET"),
    ],
)
def test_a_wrong_method_gets_the_right_ones(method: str, path: str, allowed: str, offline_api: Api) -> None:
    """The header Allow lists them."""
    answer = offline_api.call(method, path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)
    assert answer.json()["type"] == "urn:invoice-stream:problem:method-not-allowed"


@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/docs", "/openapi.json", "/invoices/1"])
def test_every_response_has_the_security_headers(path: str, offline_api: Api) -> None:
    """Problems have them too."""
    headers = offline_api.get(path).headers
    assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == ("nosniff", "no-referrer")
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; ")


def test_responses_with_data_are_not_cached(offline_api: Api) -> None:
    """A later query must show what was stored in between."""
    assert offline_api.get("/invoices/1").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/healthz", "/docs", "/console", "/openapi.json", "/nowhere"])
def test_head_is_get_without_a_body(path: str, offline_api: Api) -> None:
    """Monitors and browsers ask like this; the length is that of the body."""
    get, head = offline_api.call("GET", path), offline_api.call("HEAD", path)
    assert (head.status_code, head.content, head.headers) == (get.status_code, b"", get.headers)


def test_an_unknown_query_parameter_of_post_is_refused(offline_api: Api) -> None:
    """As on GET: a misspelt option must not be ignored in silence."""
    response = offline_api.call("POST", "/ingest?dryrun=1", content=b"{}")
    assert response.status_code == 422
    assert response.json()["errors"] == [{"parameter": None, "message": "a query parameter is unknown"}]
    named = offline_api.call("POST", "/ingest?limit=1", content=b"{}").json()["errors"]
    assert named == [{"parameter": "limit", "message": "is not a parameter of this route"}]
