"""AWS's rules of delivery without network or clock: when a batch is ready, and what follows an invocation."""

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from local_runtime.event_source_mapping.events import (
    Failure,
    Outcome,
    PartialFailure,
    StreamRecord,
    Success,
    payload_bytes,
)
from local_runtime.event_source_mapping.settings import UNLIMITED, MappingSettings

MAX_PAYLOAD_BYTES = 6 * 1024 * 1024
"""The largest JSON of an event: a synchronous invocation accepts 6 MB (AWS: Lambda quotas)."""

_EVENT_ENVELOPE = len('{"Records": []}')

Condition: TypeAlias = Literal["RetryAttemptsExhausted", "RecordAgeExceeded"]


@dataclass(frozen=True, slots=True)
class Batch:
    """Records that are delivered together, in order, and the history of their delivery.

    `failures` counts the attempts that are used up, `invocations` all of them. A batch with a `condition` is not
    delivered any more but sent to the on-failure destination. Nothing happens to a batch before `due`.
    """

    records: tuple[StreamRecord, ...]
    failures: int = 0
    invocations: int = 0
    due: float = 0.0
    had_function_error: bool = False
    condition: Condition | None = None
    destination_failures: int = 0


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds between attempts: `first`, then doubled each time, at most `longest`.

    AWS does not document how long Lambda waits. Doubling keeps the wait shorter than the outage that causes it.
    """

    first: float = 0.2
    longest: float = 60.0

    def delay(self, failures: int) -> float:
        """The wait after so many failures in a row (1 or more)."""
        doublings = min(failures - 1, 32)  # a larger exponent changes nothing and overflows in the end
        return min(self.first * 2.0 ** max(doublings, 0), self.longest)


@dataclass(frozen=True, slots=True)
class RetryRules:
    settings: MappingSettings
    backoff: Backoff


@dataclass(frozen=True, slots=True)
class Disposition:
    """The records that are done, and the batches that remain, in order."""

    acknowledged: tuple[StreamRecord, ...] = ()
    remaining: tuple[Batch, ...] = ()


def after_invocation(batch: Batch, outcome: Outcome, rules: RetryRules, now: float) -> Disposition:
    """Decide which records are done, and which are delivered again."""
    if isinstance(outcome, Success):
        return Disposition(acknowledged=batch.records)
    tried = replace(
        batch,
        invocations=batch.invocations + 1,
        had_function_error=isinstance(outcome, Failure) and outcome.is_function_error,
    )
    if isinstance(outcome, PartialFailure):
        return _after_partial_failure(tried, outcome.first_failed, rules, now)
    if rules.settings.BisectBatchOnFunctionError and len(batch.records) > 1:
        return Disposition(remaining=_bisect(tried, now + rules.backoff.delay(batch.failures)))
    return Disposition(remaining=(_use_up_attempt(tried, rules, now),))


def split_expired(batch: Batch, settings: MappingSettings, now: float) -> tuple[Batch, ...]:
    """Split off the leading records that are older than MaximumRecordAgeInSeconds and mark them as expired."""
    if batch.condition or settings.MaximumRecordAgeInSeconds == UNLIMITED:
        return (batch,)
    ages = [now - record.arrived for record in batch.records]
    fresh = (index for index, age in enumerate(ages) if age <= settings.MaximumRecordAgeInSeconds)
    cut = next(fresh, len(ages))
    expired = replace(batch, records=batch.records[:cut], condition="RecordAgeExceeded")
    rest = replace(batch, records=batch.records[cut:])
    return tuple(each for each in (expired, rest) if each.records)


def after_destination_error(batch: Batch, rules: RetryRules, now: float) -> Batch:
    """The same batch, due later: it counts as discarded only when the destination has it."""
    failures = batch.destination_failures + 1
    return replace(batch, destination_failures=failures, due=now + rules.backoff.delay(failures))


def _after_partial_failure(tried: Batch, first_failed: int, rules: RetryRules, now: float) -> Disposition:
    done = tried.records[:first_failed]
    rest = replace(tried, records=tried.records[first_failed:])
    if done and rules.settings.BisectBatchOnFunctionError:  # splitting at the reported number uses up no attempt
        return Disposition(done, (replace(rest, due=now + rules.backoff.delay(tried.failures)),))
    return Disposition(done, (_use_up_attempt(rest, rules, now),))


def _bisect(batch: Batch, due: float) -> tuple[Batch, Batch]:
    middle = len(batch.records) // 2
    first, second = batch.records[:middle], batch.records[middle:]
    return replace(batch, records=first, due=due), replace(batch, records=second, due=due)


def _use_up_attempt(batch: Batch, rules: RetryRules, now: float) -> Batch:
    failures = batch.failures + 1
    limit = rules.settings.MaximumRetryAttempts
    if limit != UNLIMITED and failures > limit:
        return replace(batch, failures=failures, due=now, condition="RetryAttemptsExhausted")
    return replace(batch, failures=failures, due=now + rules.backoff.delay(failures))


class Buffer:
    """Records that wait until their batch is full, holds 6 MB, or its batching window has passed.

    The window opens when the first waiting record is read.
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
        """When the next batch is ready: infinity for an empty buffer, minus infinity for a full one."""
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
        """Remove and return the next batch: at least one record, however large it is."""
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
