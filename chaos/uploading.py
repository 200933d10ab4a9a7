"""The client's part of a seed: the real `send`, again and again until it says that everything has its answer."""

import asyncio
import csv
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from random import Random

from chaos.decisions import Decisions
from chaos.http_faults import FaultyNetwork
from chaos.one_thread import one_thread
from chaos.shop import COLUMNS, ShopRow
from client.api import Address
from client.batches import Batch
from client.environment import Environment
from client.report import Summary
from client.responses import IngestResponse
from client.send import SendSettings, send
from local_runtime.event_source_mapping import VirtualClock

ADDRESS = Address("http://api.test")
_MOST_ROUNDS = 30
_BATCH_ROWS = (3, 5, 12, 30, 5_000)
_DONE = (0, 1)
_FIRST_KEY_MILLIS = 1_700_000_000_000


class NeverComplete(Exception):
    """The client did not get the file through, however often it was started."""


@dataclass(frozen=True, slots=True)
class Uploaded:
    """`answered` names the batches that the client holds for answered; `rejects` are the lines of its report."""

    summary: Summary
    answered: Sequence[str]
    rejects: Sequence[Sequence[str]]
    rounds: int


def outside_of(network: FaultyNetwork, clock: VirtualClock, decisions: Decisions) -> Environment:
    """The client's world: time stands still until it sleeps, and its chance and its keys come from the seed."""
    chance, names, numbers = decisions.chance("client"), decisions.chance("keys"), count()

    async def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        await asyncio.sleep(0)

    return Environment(
        transport=network,
        clock=clock.now,
        now=clock.now,
        sleep=sleep,
        uniform=chance.uniform,
        new_key=lambda: _uuid7(next(numbers), names),
    )


def upload(file: Path, environment: Environment, chance: Random) -> Uploaded:
    """What a user does: send the file, and send it again as long as the client says that it is incomplete."""
    watcher = _Watcher([])
    for number in range(_MOST_ROUNDS):
        rejects = file.with_name(f"rejects-{number}.csv")
        settings = SendSettings(file, ADDRESS, chance.choice(_BATCH_ROWS), chance.randint(1, 4), rejects=rejects)
        with one_thread():
            summary = send(settings, environment, watcher)
        if summary.exit_code in _DONE:
            return Uploaded(summary, watcher.answered, _read_rejects(rejects), number + 1)
    raise NeverComplete


def write_rows(path: Path, rows: Sequence[ShopRow]) -> Path:
    """One row a line: line 2 is the first row's."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *(row.texts for row in rows)])
    return path


@dataclass(slots=True)
class _Watcher:
    answered: list[str]

    def batch_answered(self, batch: Batch, answer: IngestResponse) -> None:
        if answer["accepted"]:
            self.answered.append(batch.key)


def _read_rejects(path: Path) -> list[list[str]]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[1:]


def _uuid7(number: int, chance: Random) -> str:
    """Its time tells the batch's number, so that a seed names its batches alike in every run."""
    number = ((_FIRST_KEY_MILLIS + number) << 80) | chance.getrandbits(80)
    number = number & ~(0xF << 76) | (7 << 76)
    number = number & ~(0x3 << 62) | (0x2 << 62)
    return str(uuid.UUID(int=number))
