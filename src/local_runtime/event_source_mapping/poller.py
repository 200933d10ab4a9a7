"""Reading one shard from where it stands, through expired iterators and throttles."""

import math

from invoices.errors import Retryable
from local_runtime.event_source_mapping.reader import LATEST, IteratorExpired, Page, Position, after, at
from local_runtime.event_source_mapping.records import StreamRecord
from local_runtime.event_source_mapping.world import World


class Poller:
    """`due` is infinity once a closed shard is read to its end; `at_the_tip` says that the last page was the newest."""

    def __init__(self, shard_id: str, start: Position, world: World) -> None:
        self._shard_id = shard_id
        self._position = start
        self._world = world
        self._iterator: str | None = None
        self._failures = 0
        self.due = world.clock.now()
        self.at_the_tip = False

    @property
    def is_finished(self) -> bool:
        return self.due == math.inf

    def poll(self, limit: int) -> tuple[StreamRecord, ...]:
        """The next records, perhaps none; sets when to ask again."""
        now = self._world.clock.now()
        try:
            page = self._read(limit, now)
        except IteratorExpired:
            self._iterator = None
            self.due = now
            return ()
        except Retryable:
            self._failures += 1
            self.due = now + self._world.backoff.delay(self._failures)
            return ()
        self._failures = 0
        self._go_on(page, now)
        return page.records

    def _read(self, limit: int, now: float) -> Page:
        reader = self._world.reader
        if self._iterator is None:
            self._iterator = reader.iterator(self._shard_id, self._position)
            if self._position == LATEST:  # a second LATEST would skip what was put since the first
                self._position = at(now)
        return reader.read(self._shard_id, self._iterator, limit)

    def _go_on(self, page: Page, now: float) -> None:
        self._iterator = page.next_iterator
        if page.records:
            self._position = after(page.records[-1].sequence_number)
        self.at_the_tip = page.behind_ms == 0 or page.next_iterator is None
        if page.next_iterator is None:
            self.due = math.inf
        else:
            self.due = now + self._world.poll_seconds if self.at_the_tip else now
