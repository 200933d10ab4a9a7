"""The real pipeline over one seed's stores, wired as in production except for the way to AWS, time and threads."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from random import Random
from typing import Any
from unittest.mock import patch

from starlette.types import ASGIApp

from aws.api_keys import Scope
from aws.bucket import TO_DYNAMODB, TO_S3, Bucket, DeadLetterStore
from aws.erasures import ErasureList
from aws.metrics import EmfLog
from aws.receipts import ReceiptTable, ReceiptWriter
from aws.rejections import RejectionStore
from aws.stream import Stream
from chaos.aws_faults import AwsFaults, virtual_backoff
from chaos.consumers import Consumer, Lake, VirtualReader
from chaos.faults import FaultPlan
from chaos.stores import Stores, new_clients
from chaos.upload import FaultyNetwork, client_environment
from consumers.archive import Archive
from consumers.batch_loop import Stage
from consumers.index import Index
from local_runtime.event_source_mapping import VirtualClock
from local_runtime.stack.resources import Clients
from pipeline_api.app import Services, create_app
from pipeline_api.asgi import run_inline
from pipeline_api.queries.tables import Tables
from pipeline_ops.erase.command import EraseStores
from pipeline_ops.options import Stores as OpsStores

_RECEIPT_DAYS = 30


class Pipeline:
    """Without faults until `plan` gets a profile. `log` gets the lines of its metrics."""

    def __init__(self, seed: int, stores: Stores, log: Callable[[str], None]) -> None:
        self.stores = stores
        self.clock = VirtualClock()
        self.plan = FaultPlan(seed)
        self.faults = AwsFaults(self.plan, self.clock, stores.prefix)
        self._metrics = EmfLog("Chaos", log, self.clock.now)
        self._api_clients = self._faulty_clients()  # kept through crashes: all that one has in memory is a quota
        self._consumer_clients = self._faulty_clients()
        self._bucket = Bucket(self._consumer_clients.s3, stores.bucket)
        self.network = FaultyNetwork(self._new_app, self.plan)
        self.client_environment = client_environment(self.network, self.clock, self.plan)
        self.lake = Lake(stores, self._consumer_clients.s3, self.plan)
        self.consumers = [self._consumer(TO_S3, self._to_s3), self._consumer(TO_DYNAMODB, self._to_dynamodb)]

    @contextmanager
    def virtual_time(self) -> Iterator[None]:
        """Threads do at once what they get, or they would finish in an order that no seed decides.

        Closes the pipeline in the end.
        """
        try:
            with virtual_backoff(self.clock), patch.object(ThreadPoolExecutor, "submit", _submit_at_once):
                yield
        finally:
            self.faults.close()
            for clients in (self._api_clients, self._consumer_clients, self.stores.clients):
                for client in (clients.kinesis, clients.s3, clients.dynamodb):
                    client.close()

    def consume(self, chance: Random) -> None:
        """Both consumers work until they have read the whole stream."""
        for consumer in self.consumers:
            consumer.drain(chance)

    def put_record(self, key: str, data: bytes) -> float:
        """What another producer puts, without faults. Returns when it arrived."""
        kinesis = self.stores.clients.kinesis
        answer = kinesis.put_record(StreamName=self.stores.stream, PartitionKey=key, Data=data)
        return self.faults.note_arrival(answer["SequenceNumber"])

    def erase_stores(self) -> EraseStores:
        """An operator's command meets the faults of a consumer."""
        stores, dynamodb = self.stores, self._consumer_clients.dynamodb
        operated = OpsStores(self._bucket, dynamodb, stores.invoices, stores.customers, self.lake.table)
        return EraseStores(operated, self.lake.totals)

    def new_index(self) -> Index:
        dynamodb, stores = self._consumer_clients.dynamodb, self.stores
        return Index(dynamodb, stores.invoices, stores.customers, sleep=self.clock.sleep, now=self.clock.now)

    def _faulty_clients(self) -> Clients:
        clients = new_clients()
        for client in (clients.kinesis, clients.s3, clients.dynamodb):
            self.faults.attach(client)
        return clients

    def _new_app(self) -> ASGIApp:
        stores, clients = self.stores, self._api_clients
        tables = Tables(clients.dynamodb, stores.invoices, stores.customers, self.clock.sleep)
        receipts = ReceiptTable(clients.dynamodb, stores.batches)
        stream = Stream(clients.kinesis, stores.stream)
        rejections = RejectionStore(
            Bucket(clients.s3, stores.bucket), lambda: datetime.fromtimestamp(self.clock.now(), UTC)
        )
        services = Services(stream, tables, receipts, _authorize_all, self._metrics, keep_rejections=lambda: rejections)
        return create_app(services, run_inline)

    def _consumer(self, name: str, new_stage: Callable[[], Stage]) -> Consumer:
        reader = VirtualReader(self._consumer_clients.kinesis, self.stores.stream, self.faults.arrivals)
        return Consumer(name, self.stores.functions[name], reader, new_stage, self._metrics, self.faults)

    def _to_s3(self) -> Stage:
        put_dead_letter = DeadLetterStore(self._bucket, TO_S3).put
        return Stage(Archive(self._bucket).add, put_dead_letter, erasures=self._erasures())

    def _to_dynamodb(self) -> Stage:
        receipts = ReceiptWriter(self._consumer_clients.dynamodb, self.stores.batches, _RECEIPT_DAYS, self.clock.now)
        put_dead_letter = DeadLetterStore(self._bucket, TO_DYNAMODB).put
        return Stage(self.new_index().add, put_dead_letter, receipts.put, self._erasures())

    def _erasures(self) -> ErasureList:
        return ErasureList(self._bucket, self.clock.now)


def _authorize_all(_key: str | None, _scope: Scope | None) -> None:
    """API keys play no part in a scenario."""


def _submit_at_once(_threads: ThreadPoolExecutor, task: Callable[..., Any], /, *arguments: object) -> Future[Any]:
    """In place of `ThreadPoolExecutor.submit`."""
    done = Future[Any]()
    try:
        done.set_result(task(*arguments))
    except Exception as error:  # noqa: BLE001 - the one who awaits it gets it
        done.set_exception(error)
    return done
