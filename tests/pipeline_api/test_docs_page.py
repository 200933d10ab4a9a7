"""GET /docs works without internet and runs only its own scripts."""

import re

import pytest

from tests.pipeline_api.api_calls import Api


def linked(page: str) -> list[str]:
    return re.findall(r'(?:href|src)="([^"]+)"', page)


def test_the_api_serves_every_file_that_the_page_needs(offline_api: Api) -> None:
    """All links are relative, so they work behind any prefix."""
    addresses = linked(offline_api.get("/docs").text)
    assert len(addresses) == 5
    for address in addresses:
        assert not address.startswith(("/", "http"))
        assert offline_api.get(f"/{address}").status_code == 200


def test_the_page_runs_no_inline_script(offline_api: Api) -> None:
    """Its policy allows only scripts from our own files."""
    answer = offline_api.get("/docs")
    assert "script-src 'self';" in answer.headers["Content-Security-Policy"]
    assert re.findall(r"<script[^>]*>([^<]*)</script>", answer.text) == ["", ""]


@pytest.mark.parametrize("name", ["swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"])
def test_the_files_may_be_cached_for_a_year(name: str, offline_api: Api) -> None:
    """Their path has the version."""
    answer = offline_api.get(f"/docs/5.35.0/{name}")
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("path", ["/docs", "/docs/start.js", "/openapi.json"])
def test_the_page_and_the_document_may_be_cached_for_five_minutes(path: str, offline_api: Api) -> None:
    """Whoever opens the page again soon costs no request."""
    assert offline_api.get(path).headers["Cache-Control"] == "public, max-age=300"


def test_the_bundle_is_sent_compressed(offline_api: Api) -> None:
    """1.7 MB of JavaScript become 460 KB."""
    answer = offline_api.get("/docs/5.35.0/swagger-ui-bundle.js")
    assert int(answer.headers["Content-Length"]) < 500_000
    assert "SwaggerUIBundle" in answer.text
