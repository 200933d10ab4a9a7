"""Whatever the order of the answers, whenever the client dies, wherever its journal is cut: nothing lost or doubled."""

import asyncio
import gzip
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.journal import JournaledBatch, read_journal
from tests.client.fake_api import FakeApi, problem
from tests.client.killed_api import Killed
from tests.client.run_client import FakeEnvironment, row, run, write_csv

pytestmark = pytest.mark.slow

FILE, JOURNAL = Path("rows.csv"), Path("rows.csv.journal")
_MOST_RUNS = 60
_MOST_ROWS = 5  # in a request; what was taken once is never too large later
_SEEDS = st.integers(0, 2**32).map(Random)  # hypothesis cannot draw while threads take turns as they like


@dataclass
class FlakyApi:
    """Answers in any order, some of them 413, and now and then the client is dead before or after one.

    `bodies` holds every body that a batch id was sent with, `taken` those that the API has.
    """

    chance: Random
    api: FakeApi = field(default_factory=FakeApi)
    bodies: dict[str, set[bytes]] = field(default_factory=dict)
    taken: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    deaths: float = 0.15

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        key = request.headers["Idempotency-Key"]
        self.asked.append(key)
        self.bodies.setdefault(key, set()).add(request.content)
        await self._some_time()
        if _rows_in(request.content) > _MOST_ROWS:
            return problem(413, "Too large")
        self.taken[key] = request.content
        answer = self.api(request)
        await self._some_time()
        return answer

    async def _some_time(self) -> None:
        for _ in range(self.chance.randint(0, 4)):
            await asyncio.sleep(0)
        if self.chance.random() < self.deaths:
            raise Killed


def _rows_in(body: bytes) -> int:
    return len(gzip.decompress(body).splitlines())


def _write_rows(chance: Random) -> int:
    count = chance.randint(1, 40)
    invoices = sorted(chance.randint(1, 15) for _ in range(count))
    write_csv(FILE, [row(InvoiceNo=str(number), Quantity=chance.choice("122x")) for number in invoices])
    return count


def _send(flaky: FlakyApi, name: str, *options: str) -> int | None:
    """The exit code, or None where the client died."""
    numbers = iter(range(1, 1000))
    environment = FakeEnvironment(flaky, lambda: f"{name}-{next(numbers)}")
    size, in_flight = str(flaky.chance.randint(1, 9)), str(flaky.chance.randint(1, 4))
    try:
        return run(environment, "send", FILE, "--batch-rows", size, "--in-flight", in_flight, *options).exit_code
    except Killed:
        return None


def _journaled() -> Mapping[str, JournaledBatch]:
    return read_journal(JOURNAL.read_bytes()).batches if JOURNAL.exists() else {}


def _sent_rows(bodies: Mapping[str, bytes]) -> Counter[bytes]:
    return Counter(line for body in bodies.values() for line in gzip.decompress(body).splitlines())


@pytest.fixture(autouse=True)
def _clean(directory: Path) -> None:
    """hypothesis asks for one directory for all its examples, each of which leaves it as it found it."""


@settings(max_examples=40)
@given(_SEEDS)
def test_runs_until_one_is_complete_send_every_row_once(chance: Random) -> None:
    """As often as it dies: a batch always has the same bytes, what is answered is not sent again, and the API has each
    row of the file in exactly one batch."""
    count, flaky = _write_rows(chance), FlakyApi(chance)
    code = None
    for number in range(_MOST_RUNS):
        answered = {key for key, each in _journaled().items() if each.response}
        before = len(flaky.asked)
        code = _send(flaky, f"run{number}")
        assert not answered & set(flaky.asked[before:])
        if code is not None:
            break
        flaky.deaths *= 0.9
    assert (code in {0, 1}, JOURNAL.exists()) == (True, False)
    assert {len(bodies) for bodies in flaky.bodies.values()} == {1}
    assert _sent_rows(flaky.taken) == _sent_rows(_whole())
    assert _sent_rows(flaky.taken).total() == count


@settings(max_examples=40)
@given(_SEEDS)
def test_a_journal_cut_at_any_byte_resumes_what_it_still_knows(chance: Random) -> None:
    """Exactly the batches without an answer go out again, as they were; with the answered ones they are the file."""
    count, flaky = _write_rows(chance), FlakyApi(chance, deaths=0.3)
    _send(flaky, "first")
    if JOURNAL.exists():
        whole = JOURNAL.read_bytes()
        JOURNAL.write_bytes(whole[: chance.randint(0, len(whole))])
    journaled = _journaled()
    answered = {key for key, each in journaled.items() if each.response}
    flaky.deaths, flaky.asked = 0, []
    assert _send(flaky, "second") in {0, 1}
    asked = set(flaky.asked)
    old = {key for key in asked if key.startswith("first")}
    assert (old, {len(flaky.bodies[key]) for key in old} <= {1}) == (journaled.keys() - answered, True)
    counted = {key: body for key, body in flaky.taken.items() if key in answered | asked}
    assert (_sent_rows(counted) == _sent_rows(_whole()), _sent_rows(counted).total()) == (True, count)


def _whole() -> dict[str, bytes]:
    """The file as one client sends it that never dies, to an API that takes all."""
    calm = FakeApi()
    run(calm, "send", FILE)
    JOURNAL.unlink(missing_ok=True)
    Path("rows.rejects.csv").unlink(missing_ok=True)
    return {key: request.content for key, request in zip(calm.keys, calm.requests, strict=True)}
