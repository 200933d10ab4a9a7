"""Processes are killed outright at random moments, and still no row is lost or counted twice.

`make prove` kills each some ten times; KILLS=100 in the environment does it as often as that.
"""

import csv
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest

from acceptance.killable_client import (
    Said,
    first_lines,
    joined,
    killed_client,
    run_client,
    said_by,
    start_client,
    write_rows,
)
from acceptance.killable_pipeline import KillablePipeline, killable_pipeline
from local_runtime.messages import UploadSummary

KILLS = int(os.environ.get("KILLS", "10"))
SEED = int(os.environ.get("SEED", "1"))

_KILLS_PER_UPLOAD = 10
_ROWS, _BATCH = 4_000, ("--batch-rows", "40")
_LINES = 120  # what the client says of so many rows: a line for each batch, and its summary
_START_SECONDS, _MOMENT_SECONDS = 3.0, 0.05
_BURST, _SMALL = 200, ("--batch-rows", "10")
_BURST_SECONDS = 1.5


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[KillablePipeline]:
    with killable_pipeline(tmp_path / "run") as running:
        yield running


@pytest.fixture
def chance() -> Random:
    return Random(SEED)  # noqa: S311 - repeatable, not secret


def test_the_client_killed_at_random_moments(pipeline: KillablePipeline, chance: Random, tmp_path: Path) -> None:
    """Each upload is started again until it is complete: its last summary counts the file, and so do the stores."""
    pipeline.start_consumers()
    files: list[Path] = []
    said: list[Said] = []
    moments = Counter[str]()
    while moments.total() < KILLS:
        file = write_rows(tmp_path / f"{len(files)}.csv", f"K{len(files)}", _ROWS, chance)
        said.append(_upload(pipeline, file, moments, chance))
        files.append(file)
    print(f"\nclient: {moments.total()} kills in {len(files)} uploads of {_ROWS:,} rows: {dict(moments)}")
    assert pipeline.differences(joined(files, tmp_path / "all.csv"), _total(said)) == []
    assert [_rejected_lines(file) for file in files] == [list(range(98, _ROWS + 2, 97))] * len(files)
    assert not list(tmp_path.glob("*.journal"))


def test_consumers_killed_at_random_moments(pipeline: KillablePipeline, chance: Random, tmp_path: Path) -> None:
    """Either of them, while batches come in; each goes on from its checkpoint."""
    pipeline.start_consumers()
    files: list[Path] = []
    said: list[Said] = []
    moments = Counter[str]()
    for number in range(KILLS):
        file = write_rows(tmp_path / f"{number}.csv", f"K{number}", _BURST, chance)
        client = start_client(pipeline, file, *_SMALL)
        first = first_lines(client, 1)
        time.sleep(chance.uniform(0, _BURST_SECONDS))
        consumer = chance.choice(pipeline.consumers)
        consumer.kill()
        done, is_new = set(consumer.acknowledged), not consumer.said_something
        consumer.start()
        said.append(said_by(client, first))
        files.append(file)
        moments["before its first checkpoint" if is_new else _consumer_moment(said[-1], done)] += 1
    print(f"\nconsumers: {moments.total()} kills while {_BURST * KILLS:,} rows came in: {dict(moments)}")
    assert pipeline.differences(joined(files, tmp_path / "all.csv"), _total(said)) == []


def test_the_engine_killed_and_started_again(pipeline: KillablePipeline, chance: Random, tmp_path: Path) -> None:
    """The client says that it is not complete; resumed, it sends what has no answer, and no more than that."""
    file = write_rows(tmp_path / "rows.csv", "K", _ROWS * 2, chance)
    client = start_client(pipeline, file, *_BATCH)
    first = first_lines(client, chance.randint(20, 60))
    pipeline.kill_engine()
    broken = said_by(client, first)
    assert (broken.exit_code, broken.is_complete, _on_the_way(broken) > 0) == (3, False, True)
    pipeline.restart_engine()
    resumed = run_client(pipeline, file, *_BATCH)
    news = [each for each in resumed.batches if "resumed" not in each]
    print(f"\nengine: {len(broken.batches)} batches answered before, {len(news)} after, {len(resumed.batches)} in all")
    assert (resumed.exit_code, resumed.is_complete, resumed.events[-1]["rows_read"]) == (1, True, _ROWS * 2)
    assert {each["batch_id"] for each in broken.batches} == {each["batch_id"] for each in resumed.batches} - _ids(news)
    assert _on_the_stream(pipeline) == Counter(_ids(news))


def _upload(pipeline: KillablePipeline, file: Path, moments: Counter[str], chance: Random) -> Said:
    """Until the client says that it is complete; killed a few times before."""
    for _ in range(min(_KILLS_PER_UPLOAD, KILLS - moments.total())):
        lines = chance.choice((0, *[chance.randint(1, _LINES)] * 9))
        seconds = chance.uniform(0, _MOMENT_SECONDS if lines else _START_SECONDS)
        said = killed_client(pipeline, file, *_BATCH, lines=lines, seconds=seconds)
        if said.exit_code is None:
            moments[_client_moment(said)] += 1
        if said.is_complete and not file.with_name(f"{file.name}.journal").exists():
            return said
    return run_client(pipeline, file, *_BATCH)


def _client_moment(said: Said) -> str:
    if said.is_complete:
        return "after its summary"
    if not said.batches:
        return "before its first answer"
    return "while it caught up" if "resumed" in said.batches[-1] else "between answers"


def _total(said: list[Said]) -> UploadSummary:
    summaries = [each.summary or {} for each in said]
    names = ("rows_read", "accepted", "rejected", "not_sent")
    read, accepted, rejected, not_sent = (sum(each[name] for each in summaries) for name in names)
    return UploadSummary("summary", read, accepted, rejected, not_sent, seconds=0)


def _rejected_lines(file: Path) -> list[int]:
    with file.with_suffix(".rejects.csv").open(encoding="utf-8", newline="") as rejects:
        return sorted(int(row["line"]) for row in csv.DictReader(rejects))


def _consumer_moment(burst: Said, done: set[str]) -> str:
    return "with batches to do" if _ids(burst.batches) - done else "with nothing to do"


def _on_the_way(said: Said) -> int:
    assert said.summary
    return int(said.summary["not_sent"])


def _ids(batches: list[Mapping[str, Any]]) -> set[str]:
    return {each["batch_id"] for each in batches}


def _on_the_stream(pipeline: KillablePipeline) -> Counter[str]:
    return Counter(pipeline.partition_keys())
