"""Programs of other people meet the API, of which they know the OpenAPI document alone, and the lake."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from acceptance.artifacts import PROJECT
from acceptance.documents import COLLECTION, THIRD_PARTY, collection_text
from aws.clients import s3_client, sqs_client
from local_runtime.engine import temporary_engine
from local_runtime.environment import aws_environment
from local_runtime.sample import write_sample
from tests.consumers.lake.lakes import Lake
from tests.invoice_rows import row
from tests.pipeline_api.openapi_document import DOCUMENT
from tests.running_pipeline import RunningPipeline, running_pipeline, serving_pipeline

TOOLS = PROJECT / ".venv-third-party" / "bin"
PROGRAMS = THIRD_PARTY / "node_modules" / ".bin"
EXAMPLES = 40  # for each route and phase


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPipeline]:
    folder = tmp_path_factory.mktemp("third_party_clients")
    write_sample(folder / "rows.csv", 100)
    with running_pipeline(folder / "run", folder / "rows.csv") as running:
        yield running


def done(*command: str | Path, cwd: Path, **more: str) -> str:
    """What it said; the test fails if the program does."""
    environment = {**os.environ, "PATH": f"{TOOLS}{os.pathsep}{os.environ['PATH']}", **more}
    finished = subprocess.run(command, check=False, cwd=cwd, capture_output=True, text=True, env=environment)
    assert finished.returncode == 0, finished.stdout[-6000:] + finished.stderr[-3000:]
    return finished.stdout


def test_schemathesis_finds_nothing(pipeline: RunningPipeline, tmp_path: Path) -> None:
    """Examples, edges, random and stateful calls, right and wrong ones; the same in each run."""
    said = done(
        *(TOOLS / "schemathesis", "--config-file", THIRD_PARTY / "schemathesis.toml"),
        *("run", f"{pipeline.url}/openapi.json", "--header", f"X-Api-Key: {pipeline.key['X-Api-Key']}"),
        *("--max-examples", str(EXAMPLES), "--no-color"),
        cwd=tmp_path,
        PYTHONPATH=str(THIRD_PARTY),
    )
    print("\nschemathesis: " + next(line.strip() for line in said.splitlines() if "generated" in line))


SEND_AND_ASK = """
import json, sys, time
from invoice_client import AuthenticatedClient
from invoice_client.api.ingest import ingest
from invoice_client.api.invoices import invoice
from invoice_client.models import InvoiceResponse, Line

url, key, row = sys.argv[1:]
with AuthenticatedClient(url, key, prefix="", auth_header_name="X-Api-Key") as client:
    taken = ingest.sync(client=client, body=Line.from_dict(json.loads(row)))
    for _ in range(300):
        answer = invoice.sync("GENERATED-1", client=client)
        if isinstance(answer, InvoiceResponse):
            break
        time.sleep(0.1)
print(taken.accepted, answer.total, answer.lines[0].description)
"""


def test_a_generated_client_works(pipeline: RunningPipeline, tmp_path: Path) -> None:
    """Made by openapi-python-client from the committed document: it posts a row, typed, and reads it back."""
    generate = (TOOLS / "openapi-python-client", "generate", "--path", DOCUMENT, "--meta", "none")
    done(*generate, "--output-path", tmp_path / "invoice_client", cwd=tmp_path)
    sent = json.dumps(row(InvoiceNo="GENERATED-1", Description="A ROW", Occurrence=1))
    arguments = (pipeline.url, pipeline.key["X-Api-Key"], sent)
    assert done(TOOLS / "python", "-c", SEND_AND_ASK, *arguments, cwd=tmp_path) == "1 15.30 A ROW\n"


SNIPPETS = re.findall(r"(?ms)^```python\n(import os.*?)^```", (PROJECT / "docs" / "lake.md").read_text())


@pytest.mark.parametrize(
    ("reader", "expected"),
    [
        ("to_pandas", "{'2010-12': Decimal('30.600000')}\n"),
        ("polars.scan_delta", "[('2010-12', Decimal('30.600000'))]\n"),
    ],
)
def test_the_lake_is_read_as_its_page_says(
    reader: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line that was taken back does not count."""
    (snippet,) = [each for each in SNIPPETS if reader in each]
    with temporary_engine() as engine:
        for name, value in aws_environment(engine.endpoint).items():
            monkeypatch.setenv(name, value)
        lake = Lake.create(s3_client(), sqs_client(), "read")
        taken_back = row(Occurrence=3, Withdrawn=True, AsOf="2026-11-26T09:00:00Z")
        lake.archive("one", [row(Occurrence=1), row(Occurrence=2), taken_back])
        lake.refresh()
        assert done(TOOLS / "python", "-c", snippet, cwd=tmp_path, LAKE_BUCKET=lake.bucket) == expected


def test_the_committed_postman_collection_is_made_of_the_committed_document() -> None:
    """`make docs` makes both anew."""
    assert COLLECTION.read_text() == collection_text(DOCUMENT.read_text())


def test_newman_runs_the_postman_collection_on_an_empty_stack(tmp_path: Path) -> None:
    """From top to bottom at once: the first request waits until its row can be queried, so every other finds it."""
    with serving_pipeline(tmp_path / "run") as empty:
        key, url = f"apiKey={empty.key['X-Api-Key']}", f"baseUrl={empty.url}"
        newman = (PROGRAMS / "newman", "run", COLLECTION, "--bail", "--env-var", key, "--env-var", url)
        said = done(*newman, "--color", "off", cwd=tmp_path)
    print("\nnewman: " + " ".join(next(line for line in said.splitlines() if "requests" in line).split()))


@pytest.fixture(scope="module")
def pages(pipeline: RunningPipeline) -> dict[str, Any]:
    """What Chromium saw on the docs page and on the console."""
    script = (THIRD_PARTY / "pages.cjs", pipeline.url, pipeline.key["X-Api-Key"], chromium())
    seen: dict[str, Any] = json.loads(done("node", *script, cwd=PROJECT))
    return seen


def test_the_docs_page_can_be_used_without_internet(pages: dict[str, Any]) -> None:
    """In Chromium: it renders, Authorize takes the key, "Try it out" posts the example. Without a key it is refused."""
    paths = json.loads((PROJECT / "docs" / "openapi.json").read_text())["paths"]
    operations = sum(len(methods) for methods in paths.values())
    assert pages["docs"] == {
        "operations": operations,
        "withoutKey": 401,
        "authorized": True,
        "withKey": 202,
        "complaints": [],
    }


def test_the_console_can_be_used(pages: dict[str, Any]) -> None:
    """A wrong key is refused; the example row turns queryable, look-ups find it, and an outage of the API passes."""
    seen = pages["console"]
    assert (int(seen["invoice"]["Lines"]) >= 1, int(seen["customer"]) >= 1) == (True, True)
    assert (seen["outage"], seen["skippedTo"], seen["complaints"]) == (True, "view", [])


def test_a_rejected_row_is_mended_on_the_console(pages: dict[str, Any]) -> None:
    """It is found by its field, saved as a CSV, corrected and sent once, and the list notes it. Its text stays text."""
    assert pages["console"]["mended"] == {
        "refused": 422,
        "file": True,
        "closed": True,
        "noted": "1\nall resent",
        "description": "<img src=x onerror=alert(1)> 1",
        "Total": "15.30",
        "Lines": "1",
        "Pieces": "6",
    }


def test_the_console_reads_rows_by_the_rules(pages: dict[str, Any]) -> None:
    """A date may end in a zone. A row whose content changed loses its Occurrence, unless it corrects a line."""
    dates, occurrences = pages["console"]["rules"].values()
    assert (len(set(dates)), occurrences) == (1, [None, 2, 3, 2])


def test_the_console_has_no_barriers(pages: dict[str, Any]) -> None:
    """Axe finds none on any view, in light and in dark, and at 400 pixels nothing is wider than the window."""
    assert pages["console"]["barriers"] == []


def test_the_console_writes_money_exactly(pages: dict[str, Any]) -> None:
    """Every digit, as the browser's language writes it."""
    assert pages["console"]["english"] == ["-12,345,678,901,234,567,890.1234567", "-999.705"]
    assert pages["console"]["german"] == ["-12.345.678.901.234.567.890,1234567", "-999.705"]


def test_the_types_of_the_console_hold(tmp_path: Path) -> None:
    """TypeScript reads the modules and their JSDoc types: a property that is not there is found without a browser."""
    done(PROGRAMS / "tsc", "--project", THIRD_PARTY / "tsconfig.json", cwd=tmp_path)


def chromium() -> str:
    """$CHROMIUM, or the one that the system has."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = [os.environ.get("CHROMIUM"), *map(shutil.which, names)]
    return next((path for path in found if path), "chromium is not installed")
