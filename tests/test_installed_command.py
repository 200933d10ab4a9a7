"""`invoice-stream`, as pip installs it."""

import json
from importlib.metadata import entry_points, version

import httpx
import pytest
from typer.testing import CliRunner, Result

from client.environment import Environment
from invoice_stream.cli import app, main

LINES = [{"StockCode": str(number), "Quantity": 1} for number in range(5)]


def respond(request: httpx.Request) -> httpx.Response:
    """An invoice of five lines, two on each page."""
    start = int(request.url.params.get("next_token", 0))
    page = {"InvoiceNo": "1", "line_count": 5, "lines": LINES[start : start + 2]}
    return httpx.Response(200, json={**page, "next_token": str(start + 2) if start + 2 < 5 else None})


def run(*words: str) -> Result:
    environment = Environment(transport=httpx.MockTransport(respond))
    return CliRunner().invoke(app, [*words], obj=environment, env={"INVOICE_API_KEY": "key"})


def test_the_script_is_the_main_function() -> None:
    """pyproject.toml names it."""
    (script,) = entry_points(group="console_scripts", name="invoice-stream")
    assert script.load() is main


def test_version_and_help() -> None:
    """Both forms of help, at each level."""
    assert run("--version").output == f"invoice-stream {version('invoice-stream')}\n"
    for words in (["-h"], ["--help"], ["send", "-h"], ["invoice", "--help"]):
        assert (run(*words).exit_code, "Usage: " in run(*words).output) == (0, True)


def test_an_invoice_as_json() -> None:
    """All pages in one object, without a page token."""
    content = json.loads(run("invoice", "1", "--json").output)
    assert (content["lines"], "next_token" in content) == (LINES, False)


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_a_limit_cuts_the_lines(limit: int) -> None:
    """Within a page and across pages."""
    assert json.loads(run("invoice", "1", "--json", "--limit", str(limit)).output)["lines"] == LINES[:limit]


def test_ops_passes_everything_on_to_the_operators_commands(capsys: pytest.CaptureFixture[str]) -> None:
    """Help, options, and the exit code of an error."""
    result = run("ops", "failed", "--help")
    assert (result.exit_code, "redrive" in result.output) == (0, True)
    assert run("ops", "failed", "list", "--nonsense").exit_code == 2


def test_ops_without_its_packages_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client is installed alone by most."""

    def fail(_name: str) -> None:
        raise ModuleNotFoundError("No module named 'boto3'", name="boto3")

    monkeypatch.setattr("invoice_stream.cli.import_module", fail)
    result = run("ops", "failed", "list")
    assert (result.exit_code, "pip install 'invoice-stream[ops]'" in result.output) == (2, True)
