"""How many of our files each of four journeys runs through: a reader has to open them all to follow it.

The second call in a process counts, as in a warm container. A file counts if a function of it is called.
"""

import asyncio
import importlib
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from local_runtime.handlers import invoke, read_event
from pipeline_ops.cli import build_app
from tests.client.fake_api import FakeApi
from tests.client.run_client import ROW, run, write_csv
from tests.conftest import create_table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client

ROOT = Path(__file__).parents[1]
EVENTS = Path(__file__).parent / "events"
NAMES = {
    "STREAM_NAME": "rows",
    "RAW_BUCKET": "raw-bucket",
    "INVOICES_TABLE": "invoices",
    "CUSTOMERS_TABLE": "customers",
    "BATCHES_TABLE": "batches",
    "RECEIPT_RETENTION_DAYS": "30",
    "KEYS_TABLE": "keys",
    "METRICS_NAMESPACE": "journeys",
    "DOCS_ACCESS": "open",
}


def files_of(journey: Callable[[], object], *roots: Path) -> list[str]:
    """The files below `roots` of which a function is called, on any thread."""
    files: set[str] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_name != "<module>":
            files.add(frame.f_code.co_filename)

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        journey()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return sorted(
        str(Path(each).relative_to(ROOT)) for each in files if any(Path(each).is_relative_to(root) for root in roots)
    )


@pytest.fixture
def api_key(dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in NAMES.items():
        monkeypatch.setenv(name, value)
    create_table(dynamodb, "keys", "KeyId")
    made = CliRunner().invoke(build_app(), ["keys", "create", "somebody", "--scope", "ingest", "--scope", "read"])
    return made.stdout.strip()


@pytest.fixture
def call(api_key: str, kinesis: "KinesisClient", s3: "S3Client") -> Iterator[Callable[[str, str], object]]:
    """Calls a handler with a recorded event, in an event loop as Mangum needs one."""
    asyncio.set_event_loop(loop := asyncio.new_event_loop())
    for module in ("pipeline_api.lambda_handler", "consumers.to_dynamodb"):
        importlib.reload(importlib.import_module(module))
    yield lambda handler, event: invoke(handler, read_event(EVENTS / event, {"INVOICE_API_KEY": api_key}))
    asyncio.set_event_loop(None)
    loop.close()


HANDLER_JOURNEYS = [
    ("pipeline_api.lambda_handler.handler", "post_ingest.json", 14),
    ("pipeline_api.lambda_handler.handler", "get_invoice.json", 12),
    ("consumers.to_dynamodb.handler", "kinesis_batch.json", 17),
]


@pytest.mark.parametrize(
    ("handler", "event", "most"), HANDLER_JOURNEYS, ids=[event for _, event, _ in HANDLER_JOURNEYS]
)
def test_an_event_runs_through_few_files(call: Callable[[str, str], Any], handler: str, event: str, most: int) -> None:
    """POST /ingest with an invalid row, GET of an invoice, and a batch of two records."""
    call("consumers.to_dynamodb.handler", "kinesis_batch.json")
    first = call(handler, event)
    assert first.get("statusCode", 200) < 300, first
    files = files_of(lambda: call(handler, event), ROOT / "src")
    ours = [file for file in files if not file.startswith("src/local_runtime/")]
    assert len(ours) <= most, "\n".join(ours)


def test_an_upload_runs_through_few_files(tmp_path: Path) -> None:
    """`client send` of a file with an invalid row."""
    file = write_csv(tmp_path / "rows.csv", [ROW, (*ROW[:3], "many", *ROW[4:])])
    files = files_of(lambda: run(FakeApi(), "send", file, "--url", "http://api.test"), ROOT / "client")
    assert len(files) <= 15, "\n".join(files)
