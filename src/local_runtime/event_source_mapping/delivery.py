"""Cutting what was read into batches."""

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from local_runtime.event_source_mapping.events import (
    Failed,
    Outcome,
    PartlyFailed,
    StreamRecord,
    Succeeded,
    payload_bytes,
)
from local_runtime.event_source_mapping.settings import UNLIMITED, MappingSettings

# How long to wait before the next try.


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds between tries: `first`, then twice as long each time, `longest` at most.

    AWS does not say how long Lambda waits; doubling keeps the wait below the length of the outage it sits out.
    """

    first: float = 0.2
    longest: float = 60.0

    def delay(self, failures: int) -> float:
        """The wait after so many failures in a row (1 or more)."""
        doublings = min(failures - 1, 32)  # beyond that every float is `longest` anyway
        return min(self.first * 2.0 ** max(doublings, 0), self.longest)


# AWS's rules on what comes after an invocation, as functions without time, network or state.

Condition: TypeAlias = Literal["RetryAttemptsExhausted", "RecordAgeExceeded"]


@dataclass(frozen=True, slots=True)
class Batch:
    """Records that are delivered together, in order, and what has become of them so far.

    `failures` counts the attempts that are used up, `invocations` every one. With a `condition` the batch is not
    delivered any more but goes to the on-failure destination. Nothing happens to it before `due`.
    """

    records: tuple[StreamRecord, ...]
    failures: int = 0
    invocations: int = 0
    due: float = 0.0
    function_error: bool = False
    condition: Condition | None = None
    refused_by_destination: int = 0


@dataclass(frozen=True, slots=True)
class Rules:
    settings: MappingSettings
    backoff: Backoff


@dataclass(frozen=True, slots=True)
class Verdict:
    """The records that are done, and the batches that remain: in order, the first one first."""

    acknowledged: tuple[StreamRecord, ...] = ()
    remaining: tuple[Batch, ...] = ()


def after_invocation(batch: Batch, outcome: Outcome, rules: Rules, now: float) -> Verdict:
    """What is done and what comes again."""
    if isinstance(outcome, Succeeded):
        return Verdict(acknowledged=batch.records)
    tried = replace(
        batch,
        invocations=batch.invocations + 1,
        function_error=isinstance(outcome, Failed) and outcome.function_error,
    )
    if isinstance(outcome, PartlyFailed):
        return _after_partial_failure(tried, outcome.first_failed, rules, now)
    if rules.settings.BisectBatchOnFunctionError and len(batch.records) > 1:
        return Verdict(remaining=_halves(tried, now + rules.backoff.delay(batch.failures)))
    return Verdict(remaining=(_attempt_used_up(tried, rules, now),))


def too_old_apart(batch: Batch, settings: MappingSettings, now: float) -> tuple[Batch, ...]:
    """`batch` itself, or its leading records that are beyond MaximumRecordAgeInSeconds, doomed, and then the rest."""
    if batch.condition or settings.MaximumRecordAgeInSeconds == UNLIMITED:
        return (batch,)
    ages = [now - record.arrived for record in batch.records]
    fresh = (place for place, age in enumerate(ages) if age <= settings.MaximumRecordAgeInSeconds)
    cut = next(fresh, len(ages))
    doomed = replace(batch, records=batch.records[:cut], condition="RecordAgeExceeded")
    rest = replace(batch, records=batch.records[cut:])
    return tuple(piece for piece in (doomed, rest) if piece.records)


def destination_failed(batch: Batch, rules: Rules, now: float) -> Batch:
    """The doomed batch again, later: it is not let go before its destination has it."""
    refused = batch.refused_by_destination + 1
    return replace(batch, refused_by_destination=refused, due=now + rules.backoff.delay(refused))


def _after_partial_failure(tried: Batch, first_failed: int, rules: Rules, now: float) -> Verdict:
    done = tried.records[:first_failed]
    rest = replace(tried, records=tried.records[first_failed:])
    if done and rules.settings.BisectBatchOnFunctionError:  # split at the reported number: no attempt is used up
        return Verdict(done, (replace(rest, due=now + rules.backoff.delay(tried.failures)),))
    return Verdict(done, (_attempt_used_up(rest, rules, now),))


def _halves(batch: Batch, due: float) -> tuple[Batch, Batch]:
    middle = len(batch.records) // 2
    first, second = batch.records[:middle], batch.records[middle:]
    return replace(batch, records=first, due=due), replace(batch, records=second, due=due)


def _attempt_used_up(batch: Batch, rules: Rules, now: float) -> Batch:
    failures = batch.failures + 1
    limit = rules.settings.MaximumRetryAttempts
    if limit != UNLIMITED and failures > limit:
        return replace(batch, failures=failures, due=now, condition="RetryAttemptsExhausted")
    return replace(batch, failures=failures, due=now + rules.backoff.delay(failures))


MAX_PAYLOAD_BYTES = 6 * 1024 * 1024
"""An event's JSON: a synchronous invocation takes 6 MB (AWS: Lambda quotas)."""

_EVENT_ENVELOPE = len('{"Records": []}')


class Buffer:
    """Records that wait for their batch: until it is full, holds 6 MB, or its window is over.

    The window opens when the first waiting record was read.
    """

    def __init__(self, settings: MappingSettings, stream_arn: str) -> None:
        self._settings = settings
        self._stream_arn = stream_arn
        self._waiting: deque[tuple[StreamRecord, int, float]] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def due(self) -> float:
        """When the next batch is ready: infinity while nothing waits, the past once it is full."""
        if not self._waiting:
            return math.inf
        if len(self._waiting) >= self._settings.BatchSize or self._bytes >= MAX_PAYLOAD_BYTES:
            return -math.inf
        _, _, read_at = self._waiting[0]
        return read_at + self._settings.MaximumBatchingWindowInSeconds

    def add(self, records: Iterable[StreamRecord], now: float) -> None:
        for record in records:
            size = payload_bytes(record, self._stream_arn)
            self._waiting.append((record, size, now))
            self._bytes += size

    def take(self) -> tuple[StreamRecord, ...]:
        """The next batch; always at least one record, however large it is."""
        batch: list[StreamRecord] = []
        total = _EVENT_ENVELOPE
        while self._waiting and len(batch) < self._settings.BatchSize:
            record, size, _ = self._waiting[0]
            if batch and total + size > MAX_PAYLOAD_BYTES:
                break
            total += size
            batch.append(record)
            self._waiting.popleft()
            self._bytes -= size
        return tuple(batch)
