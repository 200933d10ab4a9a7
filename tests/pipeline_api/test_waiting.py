"""POST /ingest with `Prefer: wait=n`: the response comes when the rows can be queried, or when the time is over."""

import asyncio
import json
from typing import TYPE_CHECKING, Any, cast

import pytest

from aws.receipts import Receipt, ReceiptTable, ReceiptWriter, body_id
from invoices.batch import pack
from invoices.errors import Unavailable
from local_runtime.stack.functions import http_function, read_functions
from local_runtime.stack.template import physical_names
from pipeline_api.asgi import run_inline
from pipeline_api.ingest.waiting import LAST_READ_SECONDS, ReceiptWait, wait_seconds
from pipeline_api.production import Settings, production_services
from tests.invoice_rows import ndjson, row
from tests.local_runtime.templates import project_template
from tests.pipeline_api.api_calls import AS_JSON, AS_NDJSON, Api
from tests.receipts import receipt

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BODY = ndjson([row()])
RECORD = pack(BODY)
KEY = {"Idempotency-Key": "batch-1"}


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("wait=5", 5),
        ('respond-async, Wait = "10"; strict', 10),
        ("wait=600", 20),
        ("wait=3, wait=4", 3),
        ("", 0),
        ("wait", 0),
        ("wait=0", 0),
        ("wait=-1", 0),
        ("wait=1.5", 0),
        ("wait=²", 0),
        ("handling=lenient", 0),
    ],
)
def test_the_header_says_how_long_to_wait(header: str, seconds: int) -> None:
    """What is unknown or invalid is ignored."""
    assert wait_seconds(header) == seconds


class Table:
    """Answers each read with the next of `answers`, and then with the last one."""

    def __init__(self, *answers: Receipt | Exception | None) -> None:
        self._answers = list(answers)

    def of_body(self, batch_id: str, body: str) -> Receipt | None:
        assert (batch_id, body) == ("batch-1", body_id("batch-1", BODY))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


class Clock:
    """Moves only by sleeping."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    def now(self) -> float:
        return sum(self.pauses)

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)


def wait(clock: Clock, *answers: Receipt | Exception | None, requested_at: float = 0.0) -> bool:
    """Whether a receipt was found within 5 seconds."""
    table = cast("ReceiptTable", Table(*answers))
    waiting = ReceiptWait(lambda: table, run_inline, clock.now, clock.sleep)
    return asyncio.run(waiting.receipt_of("batch-1", RECORD, 5, requested_at)) is not None


def test_the_receipt_is_read_again_after_growing_pauses() -> None:
    """A read that fails is only one more reason to read again."""
    clock = Clock()
    assert wait(clock, None, Unavailable("away"), receipt("batch-1", body=BODY))
    assert clock.pauses == pytest.approx([0.05, 0.075, 0.1125])


def test_the_wait_ends_with_its_time() -> None:
    """To the second; no pause is longer than one."""
    clock = Clock()
    assert not wait(clock, None)
    assert clock.now() == pytest.approx(5)
    assert max(clock.pauses) == 1.0


@pytest.mark.parametrize(("spent", "waited"), [(LAST_READ_SECONDS - 1, 1), (LAST_READ_SECONDS, 0)])
def test_a_request_that_took_long_waits_less(spent: float, waited: float) -> None:
    """Its rows are accepted, and the caller must get the answer that says so."""
    clock = Clock()
    assert not wait(clock, None, requested_at=-spent)
    assert clock.now() == pytest.approx(waited)


@pytest.mark.usefixtures("aws")
def test_the_last_read_ends_within_20_seconds() -> None:
    """Also if DynamoDB hangs. Each attempt of the client may use up both of its time limits. Lambda stops at 29 s."""
    open_receipts = production_services(Settings("s", "i", "c", "b", "k", "m", "open")).open_short_receipts
    assert open_receipts
    config: Any = open_receipts().client.meta.config
    worst = LAST_READ_SECONDS + config.retries["total_max_attempts"] * (config.connect_timeout + config.read_timeout)
    template = project_template()
    assert worst <= 20 < http_function(read_functions(template, physical_names(template))).timeout_seconds


def test_the_receipt_of_another_body_is_not_enough(api: Api, dynamodb: "DynamoDBClient") -> None:
    """The rows of this request may be on their way."""
    ReceiptWriter(dynamodb, "batches", 30, lambda: 0.0).put(receipt("batch-1", body=b"other"))
    assert api.ingest(BODY, AS_NDJSON, KEY, {"Prefer": "wait=1"}).status_code == 202


def test_a_queryable_batch_answers_200_with_its_receipt(api: Api, dynamodb: "DynamoDBClient") -> None:
    """The same fields as ever, and the receipt. How many rows were rejected stands beside it."""
    ReceiptWriter(dynamodb, "batches", 30, lambda: 0.0).put(receipt("batch-1", body=BODY))
    answer = api.ingest(BODY, AS_NDJSON, KEY, {"Prefer": "wait=20"})
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (200, "wait=20")
    stored = api.get(answer.headers["Location"]).json()
    del stored["rejected"]
    assert answer.json() == {"batch_id": "batch-1", "accepted": 1, "rejected": 0, "errors": [], "receipt": stored}


def test_a_batch_that_is_late_answers_202_as_ever(api: Api) -> None:
    """With the address of its receipt."""
    answer = api.ingest(BODY, AS_NDJSON, KEY, {"Prefer": "wait=1"})
    assert (answer.status_code, answer.headers["Location"]) == (202, "/batches/batch-1")
    assert set(answer.json()) == {"batch_id", "accepted", "rejected", "errors"}


def test_every_accepted_batch_has_an_address(offline_api: Api) -> None:
    """Also where the API chose the id."""
    answer = offline_api.ingest(json.dumps(row()).encode(), AS_JSON)
    assert answer.headers["Location"] == f"/batches/{answer.json()['batch_id']}"
    assert "Preference-Applied" not in answer.headers
