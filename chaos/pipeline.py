"""The real pipeline over one seed's stores, wired as in production except for the way to AWS and the time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

import httpx
from starlette.types import ASGIApp

from aws.api_keys import Scope
from aws.bucket import TO_DYNAMODB, TO_S3, Bucket, DeadLetterStore
from aws.metrics import EmfLog
from chaos.aws_faults import AwsFaults, virtual_backoff
from chaos.consumers import Consumer, Container
from chaos.decisions import Decisions
from chaos.http_faults import FaultyNetwork
from chaos.stores import Stores, close_clients, faulty_clients
from chaos.uploading import outside_of
from chaos.weather import CALM, Weather
from consumers.archive import Archive
from consumers.index import Index
from local_runtime.event_source_mapping import KinesisReader, VirtualClock
from pipeline_api.app import Services, create_app
from pipeline_api.ingest.route import Stream
from pipeline_api.queries.tables import Tables
from pipeline_api.running import inline


class Pipeline:
    """Calm until a weather is set. `asked` are the batch ids of every request, answered or not.

    `log` gets the lines that its metrics are written in.
    """

    def __init__(self, seed: int, stores: Stores, log: Callable[[str], None]) -> None:
        self.stores = stores
        self.clock = VirtualClock()
        self.decisions = Decisions(seed)
        self.faults = AwsFaults(self.decisions, self.clock, stores.prefix)
        self.asked: set[str] = set()
        self._metrics = EmfLog("Chaos", log, self.clock.now)
        self._api_clients = faulty_clients(self.faults)  # kept through crashes: all that one has in memory is a quota
        self._consumer_clients = faulty_clients(self.faults)
        self._listeners: list[Callable[[httpx.Request], None]] = [self._note]
        self._network = FaultyNetwork(self._new_app, self.decisions, CALM, self._before_request)
        self.outside = outside_of(self._network, self.clock, self.decisions)
        self.consumers = [self._consumer(TO_S3, self._s3_container), self._consumer(TO_DYNAMODB, self._container)]

    def chance(self, name: str) -> Random:
        return self.decisions.chance(name)

    def set_weather(self, weather: Weather) -> None:
        self.faults.weather = self._network.weather = weather

    def before_request(self, listener: Callable[[httpx.Request], None]) -> None:
        self._listeners.append(listener)

    @contextmanager
    def virtual_time(self) -> Iterator[None]:
        with virtual_backoff(self.clock):
            yield

    def close(self) -> None:
        self.faults.close()
        close_clients(self._api_clients, self._consumer_clients, self.stores.clients)

    def consume(self, chance: Random) -> None:
        """Both consumers work until the stream is done."""
        for consumer in self.consumers:
            consumer.drain(chance)

    def _before_request(self, request: httpx.Request) -> None:
        for listener in self._listeners:
            listener(request)

    def _note(self, request: httpx.Request) -> None:
        if key := request.headers.get("Idempotency-Key"):
            self.asked.add(key)

    def _new_app(self) -> ASGIApp:
        stores = self.stores
        tables = Tables(self._api_clients.dynamodb, stores.invoices, stores.customers, self.clock.sleep)
        services = Services(Stream(self._api_clients.kinesis, stores.stream), tables, _admit_everybody, self._metrics)
        return create_app(services, inline)

    def _consumer(self, stage: str, new_container: Callable[[], Container]) -> Consumer:
        function = self.stores.functions[stage]
        reader = KinesisReader(self._consumer_clients.kinesis, self.stores.stream)
        return Consumer(
            stage, self.stores.settings_of(stage), function.timeout_seconds, reader, new_container, self.faults
        )

    @property
    def _bucket(self) -> Bucket:
        return Bucket(self._consumer_clients.s3, self.stores.bucket)

    def _s3_container(self) -> Container:
        return Container(Archive(self._bucket).add, DeadLetterStore(self._bucket, TO_S3).put, self._metrics)

    def _container(self) -> Container:
        tables = self.stores.invoices, self.stores.customers
        index = Index(self._consumer_clients.dynamodb, *tables, sleep=self.clock.sleep, now=self.clock.now)
        return Container(index.add, DeadLetterStore(self._bucket, TO_DYNAMODB).put, self._metrics)


def _admit_everybody(_key: str | None, _scope: Scope | None) -> None:
    """Keys are none of chaos's business."""
