"""Cutting what was read into batches."""

import math
from collections import deque
from collections.abc import Iterable

from local_runtime.event_source_mapping.records import StreamRecord, payload_bytes
from local_runtime.event_source_mapping.settings import MappingSettings

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
