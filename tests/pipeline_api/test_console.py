"""GET /console: a page of static files, small, cached by version, under a strict policy."""

import re
from urllib.parse import urljoin

import pytest

from pipeline_api.pages import CONSOLE, version
from tests.pipeline_api.api_calls import Api

MAX_BYTES = 150_000
IMPORT = re.compile(r'^(?:import|export) .*from "([^"]+)";$', re.MULTILINE)


def loaded(api: Api) -> dict[str, int]:
    """Every file that a browser loads, compressed, by its address."""
    page = api.get("/console")
    found = {"/console": int(page.headers["Content-Length"])}
    waiting = re.findall(r'(?:href|src)="(console/[^"]+)"', page.text)
    while waiting:
        address = urljoin("/console", waiting.pop())
        if address not in found:
            answer = api.get(address)
            assert answer.status_code == 200, address
            found[address] = int(answer.headers["Content-Length"])
            waiting += [urljoin(address, name) for name in IMPORT.findall(answer.text)]
    return found


def test_the_root_leads_to_the_console(offline_api: Api) -> None:
    """307, so that the address can change later."""
    answer = offline_api.get("/")
    assert (answer.status_code, answer.headers["Location"]) == (307, "/console")


def test_the_page_loads_every_file_and_is_small(offline_api: Api) -> None:
    """At most 150 KB over the wire, all files together."""
    files = loaded(offline_api)
    assert {address.rsplit("/", 1)[-1] for address in files} == {
        "console",
        *(path.name for path in CONSOLE.iterdir()),
    } - {"index.html"}
    assert sum(files.values()) <= MAX_BYTES


def test_the_page_runs_only_its_own_scripts(offline_api: Api) -> None:
    """No inline script or style, and no text becomes HTML."""
    answer = offline_api.get("/console")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    )
    assert policy.endswith("require-trusted-types-for 'script'")
    assert re.findall(r"<script[^>]*>([^<]*)</script>| style=", answer.text) == [""]


def test_a_file_is_cached_as_long_as_its_version_is_current(offline_api: Api) -> None:
    """An older page gets the present file and does not keep it."""
    controls = [
        offline_api.get(f"/console/{of}/main.js").headers["Cache-Control"] for of in (version(), "000000000000")
    ]
    assert controls == ["public, max-age=31536000, immutable", "no-store"]
    assert offline_api.get("/console").headers["Cache-Control"] == "no-cache"


def test_a_file_comes_plain_to_whoever_takes_no_gzip(offline_api: Api) -> None:
    """Both forms have the same text."""
    address = f"/console/{version()}/main.js"
    plain = offline_api.call("GET", address, headers={"Accept-Encoding": "identity"})
    compressed = offline_api.get(address)
    assert (plain.headers.get("Content-Encoding"), compressed.headers["Content-Encoding"]) == (None, "gzip")
    assert plain.text == compressed.text


@pytest.mark.parametrize("name", ["index.html", "other.js", "..%2Ffiles%2Fmain.js", "..%2F..%2Fpages.py"])
def test_nothing_else_is_served(name: str, offline_api: Api) -> None:
    """No file beside those of the page."""
    assert offline_api.get(f"/console/{version()}/{name}").status_code == 404
