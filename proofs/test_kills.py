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

from local_runtime.messages import UploadSummary
from proofs.mortal_client import Said, joined, run_client, said_by, start_client, write_rows
from proofs.mortal_pipeline import MortalConsumer, MortalPipeline, mortal_pipeline

KILLS = int(os.environ.get("KILLS", "10"))
SEED = int(os.environ.get("SEED", "1"))

_KILLS_PER_UPLOAD = 10
_ROWS, _BATCH = 4_000, ("--batch-rows", "40")
_BURST, _SMALL = 200, ("--batch-rows", "10")
_CONSUMER_LIFE_SECONDS = 2.5


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[MortalPipeline]:
    with mortal_pipeline(tmp_path / "run") as running:
        yield running


@pytest.fixture
def chance() -> Random:
    return Random(SEED)  # noqa: S311 - repeatable, not secret


def test_the_client_killed_at_random_moments(pipeline: MortalPipeline, chance: Random, tmp_path: Path) -> None:
    """Each upload is started again until it is complete: its last summary counts the file, and so do the stores."""
    pipeline.start_consumers()
    first = write_rows(tmp_path / "0.csv", "K0", _ROWS, chance)
    started = time.monotonic()
    said = [run_client(pipeline, first, *_BATCH)]
    longest = time.monotonic() - started
    shortest = longest - said[0].events[-1]["seconds"] - 0.5
    files, moments = [first], Counter[str]()
    while moments.total() < KILLS:
        file = write_rows(tmp_path / f"{len(files)}.csv", f"K{len(files)}", _ROWS, chance)
        kills = min(_KILLS_PER_UPLOAD, KILLS - moments.total())
        said.append(_upload(pipeline, file, moments, [chance.uniform(shortest, longest) for _ in range(kills)]))
        files.append(file)
    print(f"\nclient: {moments.total()} kills in {len(files) - 1} uploads of {_ROWS} rows: {dict(moments)}")
    assert pipeline.differences(joined(files, tmp_path / "all.csv"), _total(said)) == []
    assert [_rejected_lines(file) for file in files] == [list(range(98, _ROWS + 2, 97))] * len(files)
    assert not list(tmp_path.glob("*.journal"))


def test_consumers_killed_at_random_moments(pipeline: MortalPipeline, chance: Random, tmp_path: Path) -> None:
    """Either of them, while batches come in; each goes on from its checkpoint."""
    pipeline.start_consumers()
    files, said, moments = [], [], Counter[str]()
    for number in range(KILLS):
        file = write_rows(tmp_path / f"{number}.csv", f"K{number}", _BURST, chance)
        said.append(run_client(pipeline, file, *_SMALL))
        files.append(file)
        consumer = chance.choice(pipeline.consumers)
        time.sleep(chance.uniform(0, _CONSUMER_LIFE_SECONDS))
        consumer.kill()
        moments[_moment(consumer, said[-1])] += 1
        consumer.start()
    print(f"\nconsumers: {moments.total()} kills while {_BURST * KILLS} rows came in: {dict(moments)}")
    assert pipeline.differences(joined(files, tmp_path / "all.csv"), _total(said)) == []


def test_the_engine_killed_and_started_again(pipeline: MortalPipeline, chance: Random, tmp_path: Path) -> None:
    """The client says that it is not complete; resumed, it sends what has no answer, and no more than that."""
    file = write_rows(tmp_path / "rows.csv", "K", _ROWS * 2, chance)
    client = start_client(pipeline, file, *_BATCH)
    _wait_for_journal(file, answers=chance.randint(20, 60))
    pipeline.kill_engine()
    broken = said_by(client)
    assert (broken.exit_code, broken.is_complete, _on_the_way(broken) > 0) == (3, False, True)
    pipeline.start_engine()
    resumed = run_client(pipeline, file, *_BATCH)
    news = [each for each in resumed.batches if "resumed" not in each]
    print(f"\nengine: {len(broken.batches)} batches answered before, {len(news)} after, {len(resumed.batches)} in all")
    assert (resumed.exit_code, resumed.is_complete, resumed.events[-1]["rows_read"]) == (1, True, _ROWS * 2)
    assert {each["batch_id"] for each in broken.batches} == {each["batch_id"] for each in resumed.batches} - _ids(news)
    assert _on_the_stream(pipeline) == Counter(_ids(news))
    again = run_client(pipeline, file, *_BATCH, "--journal", "again")
    assert (again.exit_code, again.events[-1]["resumed"]) == (1, False)


def _upload(pipeline: MortalPipeline, file: Path, moments: Counter[str], kills: list[float]) -> Said:
    """Until the client says that it is complete; killed after each of these seconds."""
    for seconds in kills:
        said = run_client(pipeline, file, *_BATCH, killed_after=seconds)
        if said.exit_code is None:
            moments["after the summary" if said.is_complete else "during" if said.batches else "before"] += 1
        if said.is_complete and not file.with_name(f"{file.name}.journal").exists():
            return said
    return run_client(pipeline, file, *_BATCH)


def _total(said: list[Said]) -> UploadSummary:
    summaries = [each.summary or {} for each in said]
    names = ("rows_read", "accepted", "rejected", "not_sent")
    read, accepted, rejected, not_sent = (sum(each[name] for each in summaries) for name in names)
    return UploadSummary("summary", read, accepted, rejected, not_sent, seconds=0)


def _rejected_lines(file: Path) -> list[int]:
    with file.with_suffix(".rejects.csv").open(encoding="utf-8", newline="") as rejects:
        return sorted(int(row["line"]) for row in csv.DictReader(rejects))


def _moment(consumer: MortalConsumer, last: Said) -> str:
    if not consumer.said_something:
        return "before its first checkpoint"
    left = _ids(last.batches) - consumer.acknowledged
    return "with batches to do" if left else "with nothing to do"


def _wait_for_journal(file: Path, answers: int) -> None:
    journal = file.with_name(f"{file.name}.journal")
    give_up = time.monotonic() + 60
    while not journal.exists() or journal.read_bytes().count(b'"answered"') < answers:
        assert time.monotonic() < give_up
        time.sleep(0.005)


def _on_the_way(said: Said) -> int:
    assert said.summary
    return int(said.summary["not_sent"])


def _ids(batches: list[Mapping[str, Any]]) -> set[str]:
    return {each["batch_id"] for each in batches}


def _on_the_stream(pipeline: MortalPipeline) -> Counter[str]:
    return Counter(pipeline.partition_keys())
