"""Each built artifact, under Lambda's own runtime client, gives the right answers."""

import json
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
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
    logs = tmp_path_factory.mktemp("logs")
    with ExitStack() as running:
        yield {
            name: running.enter_context(
                lambda_process(build.artifact(name), data_plane.functions[name], data_plane.surroundings, logs / name)
            )
            for name in FUNCTIONS
        }


@pytest.fixture
def ask(processes: Processes, data_plane: DataPlane) -> Ask:
    """Sends an event to the API with a key. Returns the status, and the body read as JSON."""

    def invoke(event: Event) -> tuple[int, Any]:
        answer = processes["ApiFunction"].invoke(with_headers(event, {HEADER.lower(): data_plane.api_key}))
        text = b64decode(answer["body"]) if answer.get("isBase64Encoded") else answer["body"]
        return answer["statusCode"], json.loads(text)

    return invoke


def event_of(*records: tuple[str, bytes]) -> Event:
    return {"Records": [delivered(data, batch_id, n) for n, (batch_id, data) in enumerate(records, start=1)]}


@pytest.mark.parametrize("form", FORMS)
def test_the_api_takes_rows(ask: Ask, form: str) -> None:
    """Behind either kind of API, which hand over what is no text as base64."""
    status, answer = ask(post_event(form, "/ingest", pack(ndjson([row()])), {**AS_NDJSON, **GZIP}))
    assert (status, answer["accepted"], answer["rejected"]) == (202, 1, 0)


@pytest.mark.parametrize("form", FORMS)
def test_the_api_names_a_bad_row(ask: Ask, form: str) -> None:
    """The body comes as text. Index and field are as in the tests of the source."""
    status, answer = ask(post_event(form, "/ingest", json.dumps([row(Quantity="many")]).encode(), AS_JSON))
    assert (status, answer["errors"][0]["index"], answer["errors"][0]["field"]) == (422, 0, "Quantity")


def test_the_artifact_describes_itself_as_the_source_does(ask: Ask) -> None:
    """Stripping and compiling has taken nothing out of the OpenAPI document, docstrings included."""
    status, document = ask(event_for(FORMS[0], "/openapi.json"))
    assert (status, document["paths"].keys() >= {"/ingest", "/invoices/{InvoiceNo}"}) == (200, True)


def test_to_s3_keeps_each_record_as_it_came(processes: Processes, data_plane: DataPlane) -> None:
    """Delivered twice, each is there once, byte for byte."""
    data = pack(ndjson([row()]))
    event = event_of((BATCH_ID + "1", data), (BATCH_ID + "2", data))
    answers = [processes["ToS3Function"].invoke(event) for _ in range(2)]
    bucket = data_plane.functions["ToS3Function"].environment["RAW_BUCKET"]
    key = f"raw/dt=2023-11-14/hour=22/{BATCH_ID}1.ndjson.gz"
    stored = data_plane.clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    assert (answers, stored) == ([{"batchItemFailures": []}] * 2, data)


def test_a_row_goes_from_the_stream_to_an_answer(processes: Processes, ask: Ask) -> None:
    """One artifact stores it, another answers with it."""
    data = pack(ndjson([row(InvoiceNo="P1", Occurrence=1), row(InvoiceNo="P1", Quantity=2, Occurrence=1)]))
    stored = processes["ToDynamodbFunction"].invoke(event_of((BATCH_ID + "3", data)))
    status, invoice = ask(event_for(FORMS[0], "/invoices/P1"))
    assert (stored, status) == ({"batchItemFailures": []}, 200)
    assert (invoice["line_count"], invoice["total"]) == (2, "20.40")


def test_archived_rows_go_into_the_lake_once(processes: Processes) -> None:
    """The schedule's event says nothing. Afterwards there is nothing to delete."""
    for number in ("6", "7"):
        event = event_of((BATCH_ID + number, pack(ndjson([row(InvoiceNo="L1", Occurrence=1)]))))
        processes["ToS3Function"].invoke(event)
        refreshed = processes["ToLakeFunction"].invoke({})
    assert (refreshed[-1]["version"], refreshed[-1]["rows"]) == (None, 1)
    assert processes["VacuumLakeFunction"].invoke({}) == {"data_files": 0, "totals": 0}


@pytest.mark.parametrize("function", ["ToS3Function", "ToDynamodbFunction"])
def test_a_dead_letter_is_counted_and_logged(processes: Processes, function: str) -> None:
    """The metric that the alarm watches, and a line with the reason, both with the batch id."""
    processes[function].invoke(event_of((BATCH_ID + "4", b"poison")))
    counted, logged = processes[function].log_entries()[-2:]
    assert (counted["RecordsSetAside"], counted["batch_id"]) == (1, BATCH_ID + "4")
    assert (logged["level"], logged["message"][:13], logged["batch_id"]) == ("ERROR", "Dead letter: ", BATCH_ID + "4")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_start_takes_less_than_lambda_gives(processes: Processes, function: str) -> None:
    """10 seconds. Compared is CPU time, because others use this machine, too."""
    seconds = processes[function].init_cpu_seconds
    print(f"\n{function}: a start takes {seconds:.2f} s of CPU")
    assert seconds < 10
