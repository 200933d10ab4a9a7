"""A file's rows through a whole design, counted: the same rows through ours, the original's and the idiomatic one."""

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from bench import functions
from bench.baselines import idiomatic, original
from bench.counts import Counts
from bench.designs import API, TO_DYNAMODB, TO_S3
from bench.functions import Context, Handler, gzip_request, json_request, kinesis_event
from bench.rows import PostedBatch, in_chunks
from bench.wire import BUCKET, CUSTOMERS, INVOICES, STREAM, Wire, make_clients, table_resources

_IDIOMATIC_ROWS = 500
_ERRORS = 300


@dataclass(frozen=True, slots=True)
class _Consumer:
    """`batch_size` is how many records an invocation gets."""

    name: str
    handler: Handler
    batch_size: int


def our_counts(batches: Iterable[PostedBatch]) -> Counts:
    """The client's batches through the API and both consumers; every record is an invocation of its own."""
    run = _Run()
    api = functions.api_handler(run.printed.append)
    consumers = [
        _Consumer(TO_S3, functions.to_s3(run.printed.append), 1),
        _Consumer(TO_DYNAMODB, functions.to_dynamodb(run.printed.append), 1),
    ]
    for batch in batches:
        run.request(api, gzip_request(batch.body, batch.key), len(batch.body))
        run.deliver(consumers)
        run.counts.rows += batch.rows
    return run.counts


def original_counts(batches: Iterable[PostedBatch]) -> Counts:
    """A request for each row; the consumers get full batches, which is generous."""
    run, clients = _Run(), make_clients()
    api = original.Ingest(clients.kinesis, STREAM).handler
    size = original.BATCH_SIZE
    consumers = [
        _Consumer(TO_S3, original.ToS3(clients.s3, BUCKET).handler, size),
        _Consumer(TO_DYNAMODB, original.ToDynamodb(clients.dynamodb, INVOICES, CUSTOMERS).handler, size),
    ]
    for rows in in_chunks(_rows(batches), size):
        for row in rows:
            run.post_json(api, row)
        run.deliver(consumers)
        run.counts.rows += len(rows)
    return run.counts


def idiomatic_counts(batches: Iterable[PostedBatch]) -> Counts:
    """500 rows a request and a call, an item for each row and a copy for its customer."""
    run, clients = _Run(), make_clients()
    api = idiomatic.api_handler(clients.kinesis, STREAM)
    consumers = [
        _Consumer(TO_S3, idiomatic.ToS3(clients.s3, BUCKET).handler, _IDIOMATIC_ROWS),
        _Consumer(TO_DYNAMODB, idiomatic.ToDynamodb(*table_resources()).handler, _IDIOMATIC_ROWS),
    ]
    for rows in in_chunks(_rows(batches), _IDIOMATIC_ROWS):
        run.post_json(api, rows)
        run.deliver(consumers)
        run.counts.rows += len(rows)
    return run.counts


class _Run:
    """Invokes functions and counts, for each, its invocations, its CPU time and its calls."""

    def __init__(self) -> None:
        self.counts = Counts()
        self.printed: list[str] = []
        self._wire = Wire(self.counts)
        self._wire.connect()

    def post_json(self, handler: Handler, content: object) -> None:
        text = json.dumps(content).encode()
        self.request(handler, json_request("/ingest", text), len(text))

    def request(self, handler: Handler, event: dict[str, Any], size: int) -> None:
        self.counts.add_request(size)
        answer = self._invoke(API, handler, event)
        if answer["statusCode"] >= _ERRORS:
            raise RuntimeError(f"a request was refused: {answer['statusCode']}")
        self.counts.add_answer(answer)

    def deliver(self, consumers: Iterable[_Consumer]) -> None:
        """Give each consumer the records that were put since the last delivery."""
        records = list(self._wire.records)
        self._wire.records.clear()
        for consumer in consumers:
            for batch in in_chunks(records, consumer.batch_size):
                self._invoke(consumer.name, consumer.handler, kinesis_event(batch))

    def _invoke(self, name: str, handler: Handler, event: Any) -> Any:
        calls, own = Counter(self.counts.calls), self._wire.own_seconds
        started = time.process_time()
        answer = handler(event, Context())
        spent = time.process_time() - started - (self._wire.own_seconds - own)
        self.counts.cpu_seconds[name] += spent
        self.counts.invocations[name] += 1
        self.counts.calls_by_function.setdefault(name, Counter()).update(self.counts.calls - calls)
        for text in self.printed:  # after the invocation, so that its CPU time is its own
            self.counts.add_log(text)
        self.printed.clear()
        return answer


def _rows(batches: Iterable[PostedBatch]) -> Iterator[dict[str, Any]]:
    for batch in batches:
        yield from batch.present_values()
