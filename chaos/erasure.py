"""A seed's erasure: an operator erases a customer while rows arrive, are delivered again and are replayed."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from rich.progress import Progress

from aws.erasures import STATEMENTS_KEY
from chaos.faults import Crash, NeverEnds
from chaos.pipeline import Pipeline
from chaos.rows import CUSTOMERS
from invoices.errors import Retryable
from pipeline_ops.erase.command import Clock, erase
from pipeline_ops.options import EVERYTHING
from pipeline_ops.replay import ProgressFile, Replay, Target

_NO_BAR = Progress(disable=True)
_MOST_RUNS = 100
_LAST_REQUEST = 12
_WAIT_SECONDS = 70
_PAUSES = (0.0, 40.0, 80.0, 200.0)


@dataclass(frozen=True, slots=True)
class Erasure:
    """Rows of `customer` that arrived before `end`, by the virtual clock, are gone, or kept without the customer.

    `requests` is how many requests the API had got when it began. It took `runs` of the command.
    """

    customer: str
    keeps_lines: bool
    end: float
    requests: int
    runs: int


class CustomerErasure:
    """Erases a customer once: at one of the client's requests, or after its upload.

    `arrive` lets other producers put something. It happens while the command waits, as redeliveries do.
    """

    def __init__(self, pipeline: Pipeline, chance: Random, arrive: Callable[[], None]) -> None:
        self.done: Erasure | None = None
        self._pipeline = pipeline
        self._chance = chance
        self._arrive = arrive
        self._first_request = chance.randint(1, _LAST_REQUEST)

    def before_request(self) -> None:
        if not self.done and len(self._pipeline.network.asked) >= self._first_request:
            self.run()

    def run(self) -> Erasure:
        """Run the command until it succeeds. Time passes behind it, or none: then rows arrive that it still covers."""
        if self.done:
            return self.done
        pipeline, chance = self._pipeline, self._chance
        customer, keeps_lines = chance.choice(CUSTOMERS), chance.random() < 0.4  # noqa: PLR2004 - a share
        key = json.dumps({"key": bytes(32).hex(), "statements": []})  # the first erasure would make a random key
        pipeline.stores.clients.s3.put_object(Bucket=pipeline.stores.bucket, Key=STATEMENTS_KEY, Body=key.encode())
        requests = len(pipeline.network.asked)
        self._redeliver()
        for run in range(1, _MOST_RUNS + 1):
            stores, clock = pipeline.erase_stores(), self._clock()
            try:
                _, end, _ = erase(stores, customer, keeps_lines=keeps_lines, clock=clock, bar=_NO_BAR)
            except (Crash, Retryable):
                self._redeliver()
                continue
            pipeline.clock.sleep(chance.choice(_PAUSES))
            self.done = Erasure(customer, keeps_lines, end, requests, run)
            return self.done
        raise NeverEnds("the erasure")

    def _clock(self) -> Clock:
        """In one of the seconds that the command waits, more arrives and is consumed."""
        seconds = iter(range(_WAIT_SECONDS))
        busy = self._chance.randrange(_WAIT_SECONDS)

        def sleep(duration: float) -> None:
            self._pipeline.clock.sleep(duration)
            if next(seconds, None) == busy:
                self._arrive()
                self._redeliver()

        return Clock(self._pipeline.clock.now, sleep)

    def _redeliver(self) -> None:
        """What else happens at any time: a second delivery, a refresh of the lake, a replay of the archive."""
        for happen in (self._consume, self._pipeline.lake.try_refresh, self._replay):
            if self._chance.random() < 0.5:  # noqa: PLR2004 - a share
                happen()

    def _consume(self) -> None:
        self._pipeline.consume(self._chance)

    def _replay(self) -> None:
        """One that crashes is left as it is."""
        pipeline, stores = self._pipeline, self._pipeline.erase_stores().stores
        target = Target(bucket="any", invoices_table="any", customers_table="any")
        with TemporaryDirectory() as folder, suppress(Crash, Retryable):
            progress = ProgressFile(Path(folder, "progress"), target)
            Replay(stores.bucket, pipeline.new_index(), sleep=pipeline.clock.sleep).run(EVERYTHING, progress, _NO_BAR)
