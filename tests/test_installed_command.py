"""`invoice-stream`, as pip installs it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points, version
from inspect import cleandoc
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer
from typer.testing import CliRunner, Result

from client.environment import Environment
from invoice_stream.cli import main
from invoice_stream.commands import app
from local_runtime.__main__ import app as local_app
from local_runtime.sample import write_sample
from pipeline_ops.cli import build_app

ROOT = Path(__file__).parents[1]
INSTALLED = "from invoice_stream.cli import main; main()"
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


def _options(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """The options with values, of a command or a group of typer's own kind of click."""
    for sub_name, each in getattr(command, "commands", {}).items():
        yield from _options(each, f"{name} {sub_name}")
    yield from ((name, each) for each in command.params if each.param_type_name == "option" and not each.is_flag)


@pytest.mark.parametrize("typer_app", [app, build_app(), local_app])
def test_every_help_text_says_the_default(typer_app: typer.Typer) -> None:
    """Or that the value comes from a variable, or that it is required."""
    silent = [
        (name, option.opts)
        for name, option in _options(typer.main.get_command(typer_app), "")
        if option.default is None
        and not option.required
        and not option.envvar
        and not isinstance(option.show_default, str)
    ]
    assert silent == []


def test_a_default_that_is_no_value_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user sees it in the terminal: rich takes brackets in a help text for markup and would drop them."""
    monkeypatch.setenv("COLUMNS", "200")
    shown = " ".join(run("send", "-h").output.split())
    assert "[default: (as fast as possible)]" in shown


@pytest.mark.parametrize("typer_app", [app, build_app(), local_app])
def test_no_line_of_a_help_text_ends_within_a_sentence(typer_app: typer.Typer) -> None:
    """Behind its first paragraph the lines are shown as they are, and the terminal breaks them once more."""

    def texts(command: Any) -> Iterator[str]:
        yield cleandoc(command.help or "")
        for each in getattr(command, "commands", {}).values():
            yield from texts(each)

    paragraphs = [text.split("\n\n")[1:] for text in texts(typer.main.get_command(typer_app))]
    lines = [line for others in paragraphs for paragraph in others for line in paragraph.splitlines()]
    assert [line for line in lines if not line.endswith((".", ":"))] == []


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

    monkeypatch.setattr("invoice_stream.commands.import_module", fail)
    result = run("ops", "failed", "list")
    assert (result.exit_code, "pip install '.[client,ops]'" in result.output) == (2, True)


@pytest.mark.parametrize("entry", ["client", "src/pipeline_ops", "src/local_runtime"])
def test_nothing_else_is_imported_before_ctrl_c_ends_a_command_without_a_traceback(entry: str) -> None:
    """What takes long is imported behind that line."""
    before, _, _ = (ROOT / entry / "__main__.py").read_text().partition("signal.SIG_DFL")
    assert re.findall(r"^ *(?:import|from) .*", before, re.MULTILINE) == ["import signal"]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("entry", ["import runpy; runpy.run_module('client', run_name='__main__')", INSTALLED])
def test_a_signal_ends_an_upload_that_reached_nobody_without_a_journal(
    number: signal.Signals, entry: str, tmp_path: Path
) -> None:
    """While it tries again. `timeout`, containers and service managers send SIGTERM."""
    write_sample(tmp_path / "rows.csv", 50)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]  # closed below, so that nobody listens
    environment = {**os.environ, "INVOICE_API_KEY": "key", "INVOICE_API_URL": f"http://127.0.0.1:{port}"}
    command = [sys.executable, "-c", entry, "send", "rows.csv"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        told = next(line for line in process.stderr if "refused" in line)
        process.send_signal(number)
        rest = process.stderr.read()
    assert (process.returncode, "Interrupted" in rest, "Traceback" in told + rest) == (130, True, False)
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]
