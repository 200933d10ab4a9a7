"""Puts foreign records on the stream, between the client's batches and behind them."""

from dataclasses import dataclass, field
from random import Random

import httpx

from chaos.foreign import Foreign, foreign_record
from chaos.stores import Stores

_SHARE_OF_REQUESTS = 0.3
_SHARE_OF_SECOND_PUTS = 0.2
_KEY = "Idempotency-Key"


@dataclass(slots=True)
class ForeignProducer:
    """`put` are its records; some of them are on the stream twice. Its own way to AWS has no faults."""

    stores: Stores
    chance: Random
    left: int
    put: list[Foreign] = field(default_factory=list)
    keys_seen: list[str] = field(default_factory=list)

    def maybe_put(self, request: httpx.Request) -> None:
        """Before this request of somebody else's."""
        if self.left and self.chance.random() < _SHARE_OF_REQUESTS:
            self._put()
        if key := request.headers.get(_KEY):
            self.keys_seen.append(key)

    def put_rest(self) -> None:
        while self.left:
            self._put()

    def _put(self) -> None:
        self.left -= 1
        own = f"foreign-{len(self.put)}"
        used = self.chance.choice(self.keys_seen) if self.keys_seen else own
        record = foreign_record(self.chance, own, used)
        self.put.append(record)
        for _ in range(2 if self.chance.random() < _SHARE_OF_SECOND_PUTS else 1):
            self._put_record(record)

    def _put_record(self, record: Foreign) -> None:
        kinesis = self.stores.clients.kinesis
        kinesis.put_record(StreamName=self.stores.stream, PartitionKey=record.key, Data=record.data)
