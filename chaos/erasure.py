"""A seed's erasure: a customer is erased while rows arrive, and what must be left of each record then."""

import gzip
import json
import re
import zlib
from base64 import b64decode
from collections.abc import Callable, Collection
from concurrent.futures import Executor, Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from rich.progress import Progress

import pipeline_ops.erase.bucket
from aws.erasures import STATEMENTS_KEY
from chaos.faults import Crash
from chaos.pipeline import Pipeline
from chaos.rows import CUSTOMERS
from invoices.errors import Retryable
from pipeline_ops.erase.command import Clock, erase
from pipeline_ops.options import EVERYTHING
from pipeline_ops.replay import ProgressFile, Replay, Target

ERASED_ROW = b'{"Erased":true}'
_WORD = re.compile(rb"[A-Za-z0-9][A-Za-z0-9_-]*")
_NO_BAR = Progress(disable=True)
_MOST_RUNS = 100
_LAST_REQUEST = 12
_WAIT_SECONDS = 70
_PAUSES = (0.0, 40.0, 80.0, 200.0)


class NeverErased(Exception):
    """Every run of the command fails, although most calls succeed."""


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

    def is_named(self, text: bytes) -> bool:
        return self.customer.encode() in _WORD.findall(text)

    def is_in_object(self, data: bytes) -> bool:
        """In its bytes, in what they are inflated to, or in the payload of a dead letter."""
        if data.startswith(b"{"):
            payload = b64decode(json.loads(data).get("payload_base64", ""))
            return self.is_named(data) or self.is_in_object(payload)
        return self.is_named(data) or self.is_named(_inflate(data)[0])

    def rows_left(self, data: bytes, arrived: float, invalid: Collection[bytes]) -> tuple[bytes, ...] | None:
        """What `comparable_rows` must find of a record, or None where the record does not change."""
        if arrived >= self.end:
            return None
        text, is_whole = _inflate(data)
        if not is_whole:
            return (ERASED_ROW,) if self.is_named(text) else None
        rows = rows_in(text)
        left = tuple(self._row_left(row, is_valid=row not in invalid) for row in rows)
        return None if list(left) == rows else left

    def _row_left(self, row: bytes, *, is_valid: bool) -> bytes:
        if not self.is_of_customer(row):
            return row
        return _without_identity(row) if self.keeps_lines and is_valid else ERASED_ROW

    def is_of_customer(self, row: bytes) -> bool:
        try:
            values = json.loads(row)
        except ValueError:
            return False
        return isinstance(values, dict) and values.get("CustomerID") in (self.customer, f"{self.customer}.0")


def comparable_rows(data: bytes) -> tuple[bytes, ...]:
    """The rows of a record that is stored. A kept row has a new Occurrence, which nobody can know: without it."""
    rows = rows_in(gzip.decompress(data))
    return tuple(row if b'"CustomerID"' in row or row == ERASED_ROW else _without_identity(row) for row in rows)


def rows_in(text: bytes) -> list[bytes]:
    return [row.strip() for row in text.split(b"\n") if row.strip()]


def _without_identity(row: bytes) -> bytes:
    values = json.loads(row)
    return json.dumps({name: values[name] for name in sorted(values.keys() - {"CustomerID", "Occurrence"})}).encode()


def _inflate(data: bytes) -> tuple[bytes, bool]:
    """The text of all gzip members, and whether there is nothing else; else as much as can be inflated."""
    text = b""
    while data:
        inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            text += inflater.decompress(data)
        except zlib.error:
            return text, False
        if not inflater.eof:
            return text, False
        data = inflater.unused_data
    return text, True


class _OneThread(Executor):
    """Does at once what it is asked to do: threads finish in an order that no seed decides."""

    def __init__(self, _threads: int = 1) -> None:
        pass

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done = Future[Any]()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - the one who awaits it gets it
            done.set_exception(error)
        return done


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
                with patch.object(pipeline_ops.erase.bucket, "ThreadPoolExecutor", _OneThread):
                    _, end, _ = erase(stores, customer, keeps_lines=keeps_lines, clock=clock, bar=_NO_BAR)
            except (Crash, Retryable):
                self._redeliver()
                continue
            pipeline.clock.sleep(chance.choice(_PAUSES))
            self.done = Erasure(customer, keeps_lines, end, requests, run)
            return self.done
        raise NeverErased

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
        for happen in (self._consume, self._pipeline.lake.refresh, self._replay):
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
