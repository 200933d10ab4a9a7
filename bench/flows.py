"""A file's rows through a whole design: the same rows through ours, the original's and the idiomatic one."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from bench import ours
from bench.clients import BUCKET, CUSTOMERS, INVOICES, STREAM, end_at, make_clients, tables
from bench.counts import Counts
from bench.events import Context, gzip_request, json_request, kinesis_event
from bench.rivals import idiomatic_api, idiomatic_consumers, original
from bench.rows import Sent
from bench.wire import Wire

T = TypeVar("T")
Handler = Callable[[Any, Any], Any]

API, TO_S3, TO_DYNAMODB = "api", "to_s3", "to_dynamodb"
_IDIOMATIC_ROWS_PER_REQUEST = 500
_ACCEPTED = 300


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function: its handler, and how many records an invocation gets."""

    name: str
    handler: Handler
    batch_size: int


class _Run:
    """Invokes functions and keeps, for each, how often, for how much CPU time and with which calls."""

    def __init__(self) -> None:
        self.counts = Counts()
        self.wire = Wire(self.counts)
        self.printed: list[str] = []
        end_at(self.wire)

    def invoke(self, name: str, handler: Handler, event: Any) -> Any:
        calls, own = Counter(self.counts.calls), self.wire.own_seconds
        started = time.process_time()
        answer = handler(event, Context())
        spent = time.process_time() - started - (self.wire.own_seconds - own)
        self.counts.cpu_seconds[name] += spent
        self.counts.invocations[name] += 1
        self.counts.calls_by_function.setdefault(name, Counter()).update(self.counts.calls - calls)
        self._read_log()
        return answer

    def request(self, handler: Handler, event: dict[str, Any], size: int) -> None:
        self.counts.request(size)
        answer = self.invoke(API, handler, event)
        if answer["statusCode"] >= _ACCEPTED:
            raise RuntimeError(f"a request was refused: {answer['statusCode']}")
        self.counts.answer(answer)

    def _read_log(self) -> None:
        """Apart from the invocation, so that its CPU time is its own."""
        for text in self.printed:
            self.counts.printed(text)
        self.printed.clear()

    def deliver(self, *functions: Function) -> None:
        """Give each function the records that were put since the last delivery."""
        records = list(self.wire.records)
        self.wire.records.clear()
        for function in functions:
            for batch in chunks(records, function.batch_size):
                self.invoke(function.name, function.handler, kinesis_event(batch))


def our_counts(batches: Iterable[Sent]) -> Counts:
    """The client's batches through the API and both consumers; every record is an invocation of its own."""
    run = _Run()
    api = ours.api_handler(run.printed.append)
    functions = [
        Function(TO_S3, ours.to_s3(run.printed.append), 1),
        Function(TO_DYNAMODB, ours.to_dynamodb(run.printed.append), 1),
    ]
    for batch in batches:
        run.request(api, gzip_request(batch.body, batch.key), len(batch.body))
        run.deliver(*functions)
        run.counts.rows += batch.rows
    return run.counts


def original_counts(batches: Iterable[Sent]) -> Counts:
    """A request for each row; the consumers get full batches, which is generous."""
    run, clients = _Run(), make_clients()
    api = original.Ingest(clients.kinesis, STREAM).handler
    functions = [
        Function(TO_S3, original.ToS3(clients.s3, BUCKET).handler, original.BATCH_SIZE),
        Function(
            TO_DYNAMODB,
            original.ToDynamodb(clients.dynamodb, INVOICES, CUSTOMERS).handler,
            original.BATCH_SIZE,
        ),
    ]
    for rows in chunks(_objects(batches), original.BATCH_SIZE):
        for row in rows:
            text = json.dumps(row).encode()
            run.request(api, json_request("/ingest", text), len(text))
        run.deliver(*functions)
        run.counts.rows += len(rows)
    return run.counts


def idiomatic_counts(batches: Iterable[Sent]) -> Counts:
    """500 rows a request and a call, an item for each row and a copy for its customer."""
    run, clients = _Run(), make_clients()
    api = idiomatic_api.handler(clients.kinesis, STREAM)
    invoices, customers = tables()
    functions = [
        Function(TO_S3, idiomatic_consumers.RowsToS3(clients.s3, BUCKET).handler, 500),
        Function(TO_DYNAMODB, idiomatic_consumers.ToDynamodb(invoices, customers).handler, 500),
    ]
    for rows in chunks(_objects(batches), _IDIOMATIC_ROWS_PER_REQUEST):
        text = json.dumps(rows).encode()
        run.request(api, json_request("/ingest", text), len(text))
        run.deliver(*functions)
        run.counts.rows += len(rows)
    return run.counts


def _objects(batches: Iterable[Sent]) -> Iterator[dict[str, Any]]:
    for batch in batches:
        for row in batch.objects():
            yield {name: value for name, value in row.items() if value is not None}


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
