"""One line of batches, delivered strictly one after the other: a shard, or a share of its partition keys."""

from collections import deque
from collections.abc import Iterable

from invoices.errors import Retryable
from local_runtime.event_source_mapping.batching import Buffer
from local_runtime.event_source_mapping.delivery import Batch, after_invocation, destination_failed, too_old_apart
from local_runtime.event_source_mapping.destination import Discarded
from local_runtime.event_source_mapping.invocation import invoke
from local_runtime.event_source_mapping.job import Job
from local_runtime.event_source_mapping.progress import Progress
from local_runtime.event_source_mapping.records import StreamRecord


class Lane:
    """The first batch is retried, split or discarded before a later one is touched."""

    def __init__(self, job: Job, progress: Progress) -> None:
        self._job = job
        self._progress = progress
        self._clock = job.world.clock
        self._buffer = Buffer(job.settings, job.stream_arn)
        self._batches: deque[Batch] = deque()

    @property
    def due(self) -> float:
        return self._batches[0].due if self._batches else self._buffer.due

    @property
    def waiting(self) -> int:
        """Records that are in no batch yet."""
        return len(self._buffer)

    @property
    def is_free(self) -> bool:
        """No batch is in hand."""
        return not self._batches

    def add(self, records: Iterable[StreamRecord]) -> None:
        self._buffer.add(records, self._clock.now())

    def step(self) -> None:
        """Deliver or discard one batch. To be called when `due`."""
        batch = self._batches.popleft() if self._batches else Batch(self._buffer.take())
        now = self._clock.now()
        first, *rest = too_old_apart(batch, self._job.settings, now)
        self._batches.extendleft(reversed(rest))
        if first.condition:
            self._discard(first, now)
        else:
            self._deliver(first)

    def _deliver(self, batch: Batch) -> None:
        job = self._job
        reports = job.settings.reports_item_failures
        outcome = invoke(job.function, batch.records, job.stream_arn, reports_item_failures=reports)
        verdict = after_invocation(batch, outcome, job.rules, self._clock.now())
        self._batches.extendleft(reversed(verdict.remaining))
        self._progress.acknowledge(verdict.acknowledged)

    def _discard(self, batch: Batch, now: float) -> None:
        try:
            self._job.world.on_failure.put(Discarded(batch, self._job.stream_arn, now))
        except Retryable:
            self._batches.appendleft(destination_failed(batch, self._job.rules, now))
        else:
            self._progress.discard(batch.records)
