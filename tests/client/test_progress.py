"""What is shown while rows are sent, how fast they go, and what Ctrl-C leaves."""

import asyncio
import json
import os
import signal
from pathlib import Path

import httpx
import pytest

from client.upload import Pace
from tests.client.fake_api import FakeApi
from tests.client.run_client import FakeEnvironment, row, run, summary_of, write_csv


def test_json_tells_of_each_batch_and_then_of_all() -> None:
    """One object a line, nothing else on standard output."""
    rows = [row(InvoiceNo=str(number), Quantity="x" if number == 3 else "1") for number in range(4)]
    result = run(
        FakeApi(), "send", write_csv(Path("rows.csv"), rows), "--json", "--batch-rows", "2", "--in-flight", "1"
    )
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert events[:2] == [
        {"event": "batch", "batch_id": "batch-1", "rows": 2, "accepted": 2, "rejected": 0, "file_fraction": 0.5},
        {"event": "batch", "batch_id": "batch-2", "rows": 2, "accepted": 1, "rejected": 1, "file_fraction": 1.0},
    ]
    assert {name: events[2][name] for name in ("event", "file", "rows_read", "batches", "not_sent")} == {
        "event": "summary", "file": "rows.csv", "rows_read": 4, "batches": 2, "not_sent": 0,
    }  # fmt: skip


def test_people_get_a_summary() -> None:
    """Figures a person can read, and where the rejects are."""
    rows = [row(InvoiceNo=str(number), Quantity="x" if number == 3 else "1") for number in range(2000)]
    lines = run(FakeApi(), "send", write_csv(Path("rows.csv"), rows)).stdout.splitlines()
    assert [line.split() for line in lines[1:4]] == [
        ["rows", "read", "2,000"],
        ["accepted", "1,999"],
        ["rejected", "1"],
    ]
    assert lines[-2:] == [
        "The rejected rows and their reasons are in rows.rejects.csv",
        "Correct them in rows.csv and send it again: rows that arrived before count once.",
    ]


def test_a_rate_spreads_rows_over_time() -> None:
    """Ten rows a second: about one request a second, and the last goes after all others had their time."""
    fake = FakeEnvironment(FakeApi())
    rows = [row(InvoiceNo=str(number)) for number in range(35)]
    run(fake, "send", write_csv(Path("rows.csv"), rows), "--rate", "10", "--in-flight", "1")
    assert fake.slept == pytest.approx([1.0, 1.0, 1.0])


def test_a_pace_counts_the_time_that_sending_takes() -> None:
    """It waits only for what is left."""
    fake = FakeEnvironment(FakeApi())
    pace = Pace(10, lambda: sum(fake.slept) + 0.25 * len(fake.slept), fake.environment.sleep)

    async def three() -> None:
        for _ in range(3):
            await pace.wait_for(10)

    asyncio.run(three())
    assert fake.slept == pytest.approx([1.0, 0.75])


def test_interrupting_says_what_was_sent() -> None:
    """Ctrl-C: exit code 130, the answered rows counted, the others named."""
    api = FakeApi()

    def interrupted(request: httpx.Request) -> httpx.Response:
        if len(api.batches) == 2:
            os.kill(os.getpid(), signal.SIGINT)
            raise httpx.ReadTimeout("no answer")
        return api.ingest(request)

    rows = [row(InvoiceNo=str(number)) for number in range(50)]
    arguments = ("--batch-rows", "10", "--in-flight", "1", "--json")
    result = run(interrupted, "send", write_csv(Path("rows.csv"), rows), *arguments)
    summary = summary_of(result)
    assert (result.exit_code, summary["accepted"], summary["rows_read"]) == (130, 20, 30)
    assert (summary["not_sent"], summary["not_sent_lines"]) == (10, [[22, None]])
