"""A refresh that is killed at any moment, and many at once, leave each line in the lake once."""

import multiprocessing
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import count
from multiprocessing.process import BaseProcess
from typing import Any, TypeAlias

import pytest

from aws.clients import s3_client, sqs_client
from aws.totals import TotalsStore
from consumers.lake.refresh import LakeQueue, Refresh
from consumers.lake.table import LakeTable
from tests.consumers.lake.lakes import Lake, LakeLine
from tests.invoice_rows import row

pytestmark = pytest.mark.slow

JANUARY = "1/4/2011 10:00"
BOTH = ("12/1/2010 8:26", JANUARY)
VISIBILITY_SECONDS = 1

MUTATING_CALLS = 7  # two data files, two objects of totals, the commit, the totals' current version, the messages

# Each process starts with the modules of this one loaded, but without its threads.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([__name__])

Buckets: TypeAlias = tuple[str, str]
"""The names of archive and lake."""


def started(lake: Lake, work: Callable[..., None], *arguments: object) -> BaseProcess:
    buckets = (lake.archive_bucket, lake.bucket)
    process = FORKS.Process(target=work, args=(dict(os.environ), buckets, *arguments))
    process.start()
    return process


def exit_code(process: BaseProcess) -> int | None:
    """When it has ended."""
    process.join()
    return process.exitcode


def refresh_of(environment: Mapping[str, str], buckets: Buckets) -> Refresh:
    os.environ.update(environment)
    s3, (archive, bucket) = s3_client(), buckets
    return Refresh(s3, archive, LakeTable(s3, bucket), TotalsStore(s3, bucket))


def add(environment: Mapping[str, str], buckets: Buckets, key: str) -> None:
    refresh_of(environment, buckets).add([key])


def run_until_killed(environment: Mapping[str, str], buckets: Buckets, url: str, fatal: int, moment: str) -> None:
    """SIGKILL before or after the mutating call of this number."""
    refresh = refresh_of(environment, buckets)
    numbers = count(1)

    def fatal_call(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*values: object, **names: object) -> Any:
            number = next(numbers)
            if (number, moment) == (fatal, "before"):
                os.kill(os.getpid(), signal.SIGKILL)
            result = function(*values, **names)
            if (number, moment) == (fatal, "after"):
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call

    mutating = [(LakeTable, "write"), (TotalsStore, "write"), (LakeTable, "commit"), (TotalsStore, "publish")]
    for owner, name in [*mutating, (LakeQueue, "delete")]:
        setattr(owner, name, fatal_call(getattr(owner, name)))
    refresh.run(LakeQueue(sqs_client(), url, wait_seconds=0))


def drain(lake: Lake) -> None:
    """Refresh until no message is left, also those that a dead refresh had received."""
    while lake.messages():
        lake.refresh()
        time.sleep(VISIBILITY_SECONDS / 5)


def total_of(lines: Counter[LakeLine]) -> Decimal:
    return sum((line.Amount * count for line, count in lines.items()), Decimal(0))


def total_in_totals(lake: Lake) -> Decimal:
    current = lake.totals.current()
    assert current
    return sum((Decimal(day.amount) for key in current.months.values() for day in lake.totals.month(key)), Decimal(0))


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("call", range(1, MUTATING_CALLS + 1))
def test_a_killed_refresh_is_finished_by_the_next(lake: Lake, call: int, moment: str) -> None:
    """SIGKILL at each mutating call: the same lines and the same sums, before and after a vacuum."""
    lake.sqs.set_queue_attributes(QueueUrl=lake.queue_url, Attributes={"VisibilityTimeout": str(VISIBILITY_SECONDS)})
    lake.archive("first", [row(Occurrence=1)])
    drain(lake)
    codes = [str(code) for code in range(20)]
    lake.archive("one", [row(StockCode=code, Occurrence=1) for code in codes] + [row(Occurrence=1)])
    lake.archive("two", [row(StockCode=code, Occurrence=1, InvoiceDate=JANUARY) for code in codes])
    assert exit_code(started(lake, run_until_killed, lake.queue_url, call, moment)) == -9
    drain(lake)
    before = lake.lines()
    lake.table.vacuum(timedelta())
    lake.totals.vacuum(timedelta())
    assert lake.lines() == before
    assert (len(before), set(before.values())) == (41, {1})
    assert total_in_totals(lake) == total_of(before)


def test_eight_writers_at_once_lose_and_double_nothing(lake: Lake) -> None:
    """Each has rows of its own and rows that all have, in the same two months."""
    shared = [row(StockCode=f"s{code}", Occurrence=1) for code in range(5)]
    keys = []
    for writer in range(8):
        own = [row(StockCode=f"w{writer}", Occurrence=1, InvoiceDate=date) for date in BOTH]
        keys.append(lake.archive(str(writer), own + shared))
    writers = [started(lake, add, key) for key in keys]
    assert [exit_code(writer) for writer in writers] == [0] * 8
    lines = lake.lines()
    assert (len(lines), set(lines.values())) == (8 * 2 + 5, {1})
    assert total_in_totals(lake) == total_of(lines)


def test_a_reader_sees_one_version_and_never_a_mixture(lake: Lake) -> None:
    """During 60 commits that each add one line to both months, both months have as many lines."""
    seen: list[Sequence[int]] = []
    is_over = threading.Event()

    def read() -> None:
        while not is_over.is_set():
            months = lake.table.snapshot().months.values()
            seen.append([sum(file.rows for file in files) for files in months])

    lake.table.snapshot()
    reader = threading.Thread(target=read)
    reader.start()
    for number in range(60):
        lake.add([lake.archive(str(number), [row(StockCode=str(number), InvoiceDate=date) for date in BOTH])])
    is_over.set()
    reader.join()
    assert [rows for rows in seen if len(set(rows)) > 1] == []
    assert len({tuple(rows) for rows in seen}) > 1
