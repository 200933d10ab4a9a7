"""Processes are killed outright at random moments, and still no row is lost or counted twice.

`make prove` kills each some ten times; KILLS=100 in the environment does it as often as that.
"""

import csv
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import pytest

from acceptance.killable_pipeline import Client, KillablePipeline, killable_pipeline
from invoices.line import CONTENT_FIELDS
from local_runtime.messages import UploadSummary

KILLS = int(os.environ.get("KILLS", "10"))
SEED = int(os.environ.get("SEED", "1"))

_KILLS_PER_UPLOAD = 10
_ROWS, _BATCH = 4_000, ("--batch-rows", "40")
_LINES = 120  # what the client says of so many rows: a line for each batch, and its summary
_START_SECONDS, _MOMENT_SECONDS = 3.0, 0.05
_BURST, _SMALL = 200, ("--batch-rows", "10")
_BURST_SECONDS = 1.5
_ONE_IN = 97


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[KillablePipeline]:
    with killable_pipeline(tmp_path / "run") as running:
        yield running


@pytest.fixture
def chance() -> Random:
    return Random(SEED)  # noqa: S311 - repeatable, not secret


def test_the_client_killed_at_random_moments(pipeline: KillablePipeline, chance: Random, tmp_path: Path) -> None:
    """Each upload is started again until it is complete: its last summary counts the file, and so do the stores."""
    files: list[Path] = []
    last: list[Client] = []
    moments = Counter[str]()
    while moments.total() < KILLS:
        files.append(write_rows(tmp_path / f"K{len(files)}.csv", _ROWS, chance))
        last.append(_upload(pipeline, files[-1], moments, chance))
    print(f"\nclient: {moments.total()} kills in {len(files)} uploads of {_ROWS:,} rows: {dict(moments)}")
    assert pipeline.differences(joined(files, tmp_path / "all.csv"), _total(last)) == []
    assert [_rejected_lines(file) for file in files] == [list(range(98, _ROWS + 2, _ONE_IN))] * len(files)
    assert not list(tmp_path.glob("*.journal"))


def _upload(pipeline: KillablePipeline, file: Path, moments: Counter[str], chance: Random) -> Client:
    """Until the client says that it is complete; killed a few times before."""
    for _ in range(min(_KILLS_PER_UPLOAD, KILLS - moments.total())):
        lines = chance.choice((0, *[chance.randint(1, _LINES)] * 9))
        client = Client(pipeline, file, *_BATCH)
        client.hear(lines)
        time.sleep(chance.uniform(0, _MOMENT_SECONDS if lines else _START_SECONDS))
        if client.kill() < 0:
            moments[_moment(client)] += 1
        if client.is_complete and not file.with_name(f"{file.name}.journal").exists():
            return client
    client = Client(pipeline, file, *_BATCH)
    client.end()
    return client


def _moment(client: Client) -> str:
    if client.is_complete:
        return "after its summary"
    if not client.batches:
        return "before its first answer"
    return "while it caught up" if "resumed" in client.batches[-1] else "between answers"


def _rejected_lines(file: Path) -> list[int]:
    with file.with_suffix(".rejects.csv").open(encoding="utf-8", newline="") as rejects:
        return sorted(int(row["line"]) for row in csv.DictReader(rejects))


def test_consumers_killed_at_random_moments(pipeline: KillablePipeline, chance: Random, tmp_path: Path) -> None:
    """Either of them, while batches come in; each goes on from its checkpoint."""
    files: list[Path] = []
    clients: list[Client] = []
    moments = Counter[str]()
    for number in range(KILLS):
        files.append(write_rows(tmp_path / f"K{number}.csv", _BURST, chance))
        client = Client(pipeline, files[-1], *_SMALL)
        client.hear(1)
        time.sleep(chance.uniform(0, _BURST_SECONDS))
        done = pipeline.restart_consumer(chance.choice(pipeline.stages))
        client.end()
        clients.append(client)
        moments["with batches to do" if _ids(client) - done else "with nothing to do"] += 1
    print(f"\nconsumers: {moments.total()} kills while {_BURST * KILLS:,} rows came in: {dict(moments)}")
    assert pipeline.differences(joined(files, tmp_path / "all.csv"), _total(clients)) == []


def test_the_engine_killed_and_started_again(pipeline: KillablePipeline, chance: Random, tmp_path: Path) -> None:
    """The client says that it is not complete; resumed, it sends what has no answer, and no more than that."""
    file = write_rows(tmp_path / "K.csv", _ROWS * 2, chance)
    broken = Client(pipeline, file, *_BATCH)
    broken.hear(chance.randint(20, 60))
    pipeline.kill_engine()
    assert (broken.end(), broken.is_complete) == (3, False)
    assert broken.summary
    assert broken.summary["not_sent"] > 0
    pipeline.restart_engine()
    resumed = Client(pipeline, file, *_BATCH)
    assert (resumed.end(), resumed.is_complete, resumed.events[-1]["rows_read"]) == (1, True, _ROWS * 2)
    sent = {each["batch_id"] for each in resumed.batches if "resumed" not in each}
    print(f"\nengine: {len(broken.batches)} batches answered before, {len(sent)} after, {len(resumed.batches)} in all")
    assert _ids(broken) == _ids(resumed) - sent
    assert Counter(pipeline.partition_keys()) == Counter(sent)


def write_rows(path: Path, count: int, chance: Random) -> Path:
    """Rows of invoices of the file's name; one in some hundred is a reject, some are repeated word for word."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(CONTENT_FIELDS)
        for number in range(count):
            invoice, code = f"{path.stem}-{number // 7}", chance.randint(1, 9)
            quantity = "x" if number % _ONE_IN == _ONE_IN - 1 else chance.randint(1, 3)
            customer = chance.choice(("", "17850", "13047"))
            rows.writerow((invoice, code, "", quantity, "12/1/2010 8:26", "2.55", customer, "EIRE"))
    return path


def joined(files: Sequence[Path], path: Path) -> Path:
    """One file with the rows of all."""
    texts = [file.read_bytes().split(b"\n", 1) for file in files]
    path.write_bytes(texts[0][0] + b"\n" + b"".join(rows for _, rows in texts))
    return path


def _total(clients: list[Client]) -> UploadSummary:
    summaries = [client.summary or {} for client in clients]
    names = ("rows_read", "accepted", "rejected", "not_sent")
    read, accepted, rejected, not_sent = (sum(each[name] for each in summaries) for name in names)
    return UploadSummary("summary", read, accepted, rejected, not_sent, seconds=0)


def _ids(client: Client) -> set[str]:
    return {each["batch_id"] for each in client.batches}
