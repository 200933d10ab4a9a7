"""Each built artifact, under Lambda's own runtime client, gives the right answers."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from statistics import median

import pytest

from acceptance.artifacts import Build
from acceptance.conftest import DataPlane
from acceptance.events import Request, status_and_body
from acceptance.lambda_process import LambdaProcess, lambda_process
from acceptance.runtime_api import Event
from invoices.batch import pack
from tests.consumers.events import delivered
from tests.invoice_rows import ndjson, row

NDJSON = {"content-type": "application/x-ndjson"}
GZIP = {**NDJSON, "content-encoding": "gzip"}
JSON = {"content-type": "application/json"}
BATCH_ID = "018bcfe5-6800-7000-8000-00000000000"


@pytest.fixture(scope="module")
def processes(
    build: Build, data_plane: DataPlane, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, LambdaProcess]]:
    """All of them, started one after the other so that their times are their own."""
    logs = tmp_path_factory.mktemp("logs")
    with (
        started(build, data_plane, "ApiFunction", logs) as api,
        started(build, data_plane, "ToS3Function", logs) as to_s3,
        started(build, data_plane, "ToDynamodbFunction", logs) as to_dynamodb,
        started(build, data_plane, "ToLakeFunction", logs) as to_lake,
        started(build, data_plane, "VacuumLakeFunction", logs) as vacuum_lake,
    ):
        yield {
            "ApiFunction": api,
            "ToS3Function": to_s3,
            "ToDynamodbFunction": to_dynamodb,
            "ToLakeFunction": to_lake,
            "VacuumLakeFunction": vacuum_lake,
        }


def started(build: Build, data_plane: DataPlane, function: str, logs: Path) -> AbstractContextManager[LambdaProcess]:
    handler = data_plane.functions[function].handler
    return lambda_process(build.artifact(function), handler, data_plane.environment(function), logs / function)


def with_key(event: Event, data_plane: DataPlane) -> Event:
    """A REST API repeats every header as a list."""
    named = {"x-api-key": data_plane.api_key}
    lists = {"x-api-key": [data_plane.api_key]}
    return {
        **event,
        "headers": event["headers"] | named,
        **({"multiValueHeaders": event["multiValueHeaders"] | lists} if "multiValueHeaders" in event else {}),
    }


def event_of(*records: tuple[str, bytes]) -> Event:
    return {"Records": [delivered(data, batch_id, n) for n, (batch_id, data) in enumerate(records, start=1)]}


@pytest.mark.parametrize("form", ["http_api_v2", "rest_api_v1"])
@pytest.mark.parametrize(
    "request_",
    [
        Request("POST", "/ingest", json.dumps([row()]).encode(), JSON),
        Request("POST", "/ingest", ndjson([row()]), NDJSON),
        Request("POST", "/ingest", pack(ndjson([row()])), GZIP, binary=True),
    ],
    ids=["json", "ndjson", "base64 gzip"],
)
def test_the_api_takes_rows(
    processes: dict[str, LambdaProcess], data_plane: DataPlane, form: str, request_: Request
) -> None:
    """Behind either kind of API, plain or as base64 of gzip."""
    event = with_key(getattr(request_, form)(), data_plane)
    status, answer = status_and_body(processes["ApiFunction"].invoke(event).answer)
    assert (status, answer["accepted"], answer["rejected"]) == (202, 1, 0)


@pytest.mark.parametrize("form", ["http_api_v2", "rest_api_v1"])
def test_the_api_names_a_bad_row(processes: dict[str, LambdaProcess], data_plane: DataPlane, form: str) -> None:
    """Index, field and message are as in the tests of the source."""
    body = json.dumps([row(Quantity="many")]).encode()
    event = with_key(getattr(Request("POST", "/ingest", body, JSON), form)(), data_plane)
    status, answer = status_and_body(processes["ApiFunction"].invoke(event).answer)
    assert (status, answer["errors"][0]["index"], answer["errors"][0]["field"]) == (422, 0, "Quantity")


def test_the_artifact_describes_itself_as_the_source_does(processes: dict[str, LambdaProcess]) -> None:
    """Stripping and compiling has taken nothing out of the OpenAPI document, docstrings included."""
    answer = processes["ApiFunction"].invoke(Request("GET", "/openapi.json").http_api_v2()).answer
    status, document = status_and_body(answer)
    assert (status, document["paths"].keys() >= {"/ingest", "/invoices/{InvoiceNo}"}) == (200, True)


def test_an_unknown_invoice_is_404(processes: dict[str, LambdaProcess], data_plane: DataPlane) -> None:
    """As a problem document, from a query that DynamoDB answered."""
    answer = (
        processes["ApiFunction"].invoke(with_key(Request("GET", "/invoices/NOSUCH").http_api_v2(), data_plane)).answer
    )
    assert (status_and_body(answer)[0], answer["headers"]["content-type"]) == (404, "application/problem+json")


def test_to_s3_keeps_each_record_as_it_came(processes: dict[str, LambdaProcess], data_plane: DataPlane) -> None:
    """Delivered twice, each is there once, byte for byte."""
    data = pack(ndjson([row()]))
    event = event_of((BATCH_ID + "1", data), (BATCH_ID + "2", data))
    answers = [processes["ToS3Function"].invoke(event).answer for _ in range(2)]
    bucket = data_plane.functions["ToS3Function"].environment["RAW_BUCKET"]
    key = f"raw/dt=2023-11-14/hour=22/{BATCH_ID}1.ndjson.gz"
    stored = data_plane.clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    assert (answers, stored) == ([{"batchItemFailures": []}] * 2, data)


def test_a_row_goes_from_the_stream_to_an_answer(processes: dict[str, LambdaProcess], data_plane: DataPlane) -> None:
    """One artifact stores it, another answers with it."""
    data = pack(ndjson([row(InvoiceNo="P1", Occurrence=1), row(InvoiceNo="P1", Quantity=2, Occurrence=1)]))
    stored = processes["ToDynamodbFunction"].invoke(event_of((BATCH_ID + "3", data)))
    status, invoice = status_and_body(
        processes["ApiFunction"].invoke(with_key(Request("GET", "/invoices/P1").http_api_v2(), data_plane)).answer
    )
    assert (stored.answer, status, invoice["line_count"], invoice["total"]) == (
        {"batchItemFailures": []},
        200,
        2,
        "20.40",
    )


def test_archived_rows_go_into_the_lake_once(processes: dict[str, LambdaProcess], data_plane: DataPlane) -> None:
    """The schedule's event says nothing. Afterwards there is nothing to delete."""
    to_lake = processes["ToLakeFunction"]
    to_lake.api.timeout_seconds = data_plane.functions["ToLakeFunction"].timeout_seconds
    for number in ("6", "7"):
        event = event_of((BATCH_ID + number, pack(ndjson([row(InvoiceNo="L1", Occurrence=1)]))))
        processes["ToS3Function"].invoke(event)
        refreshed = to_lake.invoke({}).answer
    assert (refreshed[-1]["version"], refreshed[-1]["rows"]) == (None, 1)
    assert processes["VacuumLakeFunction"].invoke({}).answer == {"data_files": 0, "totals": 0}


@pytest.mark.parametrize("function", ["ToS3Function", "ToDynamodbFunction"])
def test_a_dead_letter_is_counted_and_logged(processes: dict[str, LambdaProcess], function: str) -> None:
    """The metric that the alarm watches, and a line with the reason, both with the batch id."""
    processes[function].invoke(event_of((BATCH_ID + "4", b"poison")))
    counted, logged = processes[function].log_entries()[-2:]
    assert (counted["RecordsSetAside"], counted["batch_id"]) == (1, BATCH_ID + "4")
    assert (logged["level"], logged["message"][:13], logged["batch_id"]) == ("ERROR", "Dead letter: ", BATCH_ID + "4")


def test_times_are_printed(processes: dict[str, LambdaProcess], data_plane: DataPlane) -> None:
    """Nothing is demanded of a shared machine but that a start takes less than the 10 seconds Lambda gives it."""
    rows = pack(ndjson([row(InvoiceNo=f"T{n // 20}", Quantity=n, Occurrence=1) for n in range(500)]))
    post = with_key(Request("POST", "/ingest", rows, GZIP, binary=True).http_api_v2(), data_plane)
    get = Request("GET", "/healthz").http_api_v2()
    stream = event_of((BATCH_ID + "5", rows))
    lake = processes["ToLakeFunction"]
    print(f"\nToLakeFunction: init {lake.init_seconds:.2f} s; peak {lake.peak_megabytes()} MB")
    for function, what, event in [
        ("ApiFunction", "GET /healthz", get),
        ("ApiFunction", "POST of 500 rows", post),
        ("ToS3Function", "a record of 500 rows, again", stream),
        ("ToDynamodbFunction", "a record of 500 rows, again", stream),
    ]:
        process = processes[function]
        seconds = median(process.invoke(event).seconds for _ in range(15))
        print(
            f"\n{function}: init {process.init_seconds:.2f} s; {what} {seconds * 1000:.1f} ms (median of 15);"
            f" peak {process.peak_megabytes()} MB"
        )
    assert max(process.init_seconds for process in processes.values()) < 10
