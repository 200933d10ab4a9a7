"""Each built artifact, under Lambda's own runtime client, gives the right answers."""

import json
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from statistics import median
from typing import Any, TypeAlias

import pytest

from acceptance.artifacts import FUNCTIONS, Build
from acceptance.conftest import DataPlane
from acceptance.lambda_process import Event, LambdaProcess, lambda_process
from invoices.batch import pack
from local_runtime.pipeline import HEADER
from tests.consumers.events import delivered
from tests.invoice_rows import ndjson, row
from tests.pipeline_api.api_calls import AS_JSON, AS_NDJSON, GZIP
from tests.pipeline_api.gateway_events import event_for, post_event, with_headers

Processes: TypeAlias = Mapping[str, LambdaProcess]
Ask: TypeAlias = Callable[[Event], tuple[int, Any]]

FORMS = ("http_api_v2_default_stage", "rest_api_v1_stage")
BATCH_ID = "018bcfe5-6800-7000-8000-00000000000"


@pytest.fixture(scope="module")
def processes(build: Build, data_plane: DataPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """All of them, started one after the other so that their times are their own."""
    logs = tmp_path_factory.mktemp("logs")
    with ExitStack() as running:
        yield {
            name: running.enter_context(
                lambda_process(
                    build.artifact(name),
                    data_plane.functions[name].handler,
                    data_plane.environment(name),
                    logs / name,
                )
            )
            for name in FUNCTIONS
        }


@pytest.fixture
def ask(processes: Processes, data_plane: DataPlane) -> Ask:
    """Sends an event to the API with a key. Returns the status, and the body read as JSON."""

    def invoke(event: Event) -> tuple[int, Any]:
        answer = processes["ApiFunction"].invoke(with_headers(event, {HEADER.lower(): data_plane.api_key})).answer
        text = b64decode(answer["body"]) if answer.get("isBase64Encoded") else answer["body"]
        return answer["statusCode"], json.loads(text)

    return invoke


def event_of(*records: tuple[str, bytes]) -> Event:
    return {"Records": [delivered(data, batch_id, n) for n, (batch_id, data) in enumerate(records, start=1)]}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (json.dumps([row()]).encode(), AS_JSON),
        (ndjson([row()]), AS_NDJSON),
        (pack(ndjson([row()])), {**AS_NDJSON, **GZIP}),
    ],
    ids=["json", "ndjson", "base64 gzip"],
)
def test_the_api_takes_rows(ask: Ask, form: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Behind either kind of API, plain or as base64 of gzip."""
    status, answer = ask(post_event(form, "/ingest", body, headers))
    assert (status, answer["accepted"], answer["rejected"]) == (202, 1, 0)


@pytest.mark.parametrize("form", FORMS)
def test_the_api_names_a_bad_row(ask: Ask, form: str) -> None:
    """Index, field and message are as in the tests of the source."""
    status, answer = ask(post_event(form, "/ingest", json.dumps([row(Quantity="many")]).encode(), AS_JSON))
    assert (status, answer["errors"][0]["index"], answer["errors"][0]["field"]) == (422, 0, "Quantity")


def test_the_artifact_describes_itself_as_the_source_does(ask: Ask) -> None:
    """Stripping and compiling has taken nothing out of the OpenAPI document, docstrings included."""
    status, document = ask(event_for(FORMS[0], "/openapi.json"))
    assert (status, document["paths"].keys() >= {"/ingest", "/invoices/{InvoiceNo}"}) == (200, True)


def test_an_unknown_invoice_is_404(ask: Ask) -> None:
    """As a problem document, from a query that DynamoDB answered."""
    status, problem = ask(event_for(FORMS[0], "/invoices/NOSUCH"))
    assert (status, problem["status"]) == (404, 404)


def test_to_s3_keeps_each_record_as_it_came(processes: Processes, data_plane: DataPlane) -> None:
    """Delivered twice, each is there once, byte for byte."""
    data = pack(ndjson([row()]))
    event = event_of((BATCH_ID + "1", data), (BATCH_ID + "2", data))
    answers = [processes["ToS3Function"].invoke(event).answer for _ in range(2)]
    bucket = data_plane.functions["ToS3Function"].environment["RAW_BUCKET"]
    key = f"raw/dt=2023-11-14/hour=22/{BATCH_ID}1.ndjson.gz"
    stored = data_plane.clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    assert (answers, stored) == ([{"batchItemFailures": []}] * 2, data)


def test_a_row_goes_from_the_stream_to_an_answer(processes: Processes, ask: Ask) -> None:
    """One artifact stores it, another answers with it."""
    data = pack(ndjson([row(InvoiceNo="P1", Occurrence=1), row(InvoiceNo="P1", Quantity=2, Occurrence=1)]))
    stored = processes["ToDynamodbFunction"].invoke(event_of((BATCH_ID + "3", data)))
    status, invoice = ask(event_for(FORMS[0], "/invoices/P1"))
    assert (stored.answer, status) == ({"batchItemFailures": []}, 200)
    assert (invoice["line_count"], invoice["total"]) == (2, "20.40")


def test_archived_rows_go_into_the_lake_once(processes: Processes, data_plane: DataPlane) -> None:
    """The schedule's event says nothing. Afterwards there is nothing to delete."""
    to_lake = processes["ToLakeFunction"]
    to_lake.timeout_seconds = data_plane.functions["ToLakeFunction"].timeout_seconds
    for number in ("6", "7"):
        event = event_of((BATCH_ID + number, pack(ndjson([row(InvoiceNo="L1", Occurrence=1)]))))
        processes["ToS3Function"].invoke(event)
        refreshed = to_lake.invoke({}).answer
    assert (refreshed[-1]["version"], refreshed[-1]["rows"]) == (None, 1)
    assert processes["VacuumLakeFunction"].invoke({}).answer == {"data_files": 0, "totals": 0}


@pytest.mark.parametrize("function", ["ToS3Function", "ToDynamodbFunction"])
def test_a_dead_letter_is_counted_and_logged(processes: Processes, function: str) -> None:
    """The metric that the alarm watches, and a line with the reason, both with the batch id."""
    processes[function].invoke(event_of((BATCH_ID + "4", b"poison")))
    counted, logged = processes[function].log_entries()[-2:]
    assert (counted["RecordsSetAside"], counted["batch_id"]) == (1, BATCH_ID + "4")
    assert (logged["level"], logged["message"][:13], logged["batch_id"]) == ("ERROR", "Dead letter: ", BATCH_ID + "4")


def test_times_are_printed(processes: Processes, data_plane: DataPlane) -> None:
    """A start takes less than the 10 seconds that Lambda gives it: CPU time, because others use this machine, too."""
    rows = pack(ndjson([row(InvoiceNo=f"T{n // 20}", Quantity=n, Occurrence=1) for n in range(500)]))
    headers = {**AS_NDJSON, **GZIP, HEADER.lower(): data_plane.api_key}
    stream = event_of((BATCH_ID + "5", rows))
    for function, what, event in [
        ("ApiFunction", "GET /healthz", event_for(FORMS[0], "/healthz")),
        ("ApiFunction", "POST of 500 rows", post_event(FORMS[0], "/ingest", rows, headers)),
        ("ToS3Function", "a record of 500 rows, again", stream),
        ("ToDynamodbFunction", "a record of 500 rows, again", stream),
        ("ToLakeFunction", "a refresh with nothing to do", {}),
    ]:
        process = processes[function]
        seconds = median(process.invoke(event).seconds for _ in range(15))
        print(
            f"\n{function}: init {process.init_seconds:.2f} s ({process.init_cpu_seconds:.2f} of CPU);"
            f" {what} {seconds * 1000:.1f} ms (median of 15); peak {process.peak_megabytes()} MB"
        )
    assert max(process.init_cpu_seconds for process in processes.values()) < 10
