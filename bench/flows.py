"""A file's rows through a whole design, counted: through ours, or through the idiomatic one."""

import json
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any
from unittest.mock import patch

from bench.baselines import idiomatic
from bench.counts import Counts
from bench.designs import API, TO_DYNAMODB, TO_S3
from bench.functions import CONTEXT, Handler, gzip_request, json_request, kinesis_event, start
from bench.rows import PostedBatch, in_chunks
from bench.wire import Wire

_ERRORS = 300
_NOW = 1_764_201_601.0  # by a moving clock, caches would end and a receipt would have more digits than another


@patch("time.time", lambda: _NOW)
def our_counts(batches: Iterable[PostedBatch]) -> Counts:
    """The client's batches through the API and both consumers; every record is an invocation of its own."""
    run = _Run()
    api, to_s3, to_dynamodb = (start(name, run.printed.append) for name in (API, TO_S3, TO_DYNAMODB))
    for batch in batches:
        run.request(api, gzip_request(batch.body, batch.key), len(batch.body))
        run.deliver(batch.rows, 1, to_s3, to_dynamodb)
    return run.counts


def idiomatic_counts(batches: Iterable[PostedBatch]) -> Counts:
    """500 rows a request and a call, an item for each row and a copy for its customer."""
    run = _Run()
    api, to_s3, to_dynamodb = idiomatic.api(), idiomatic.to_s3(), idiomatic.to_dynamodb()
    all_rows = (row for batch in batches for row in batch.present_values())
    for rows in in_chunks(all_rows, idiomatic.ROWS_PER_CALL):
        text = json.dumps(rows).encode()
        run.request(api, json_request("/ingest", text), len(text))
        run.deliver(len(rows), idiomatic.ROWS_PER_CALL, to_s3, to_dynamodb)
    return run.counts


class _Run:
    """Invokes functions and counts, for each, its invocations, its CPU time and its calls."""

    def __init__(self) -> None:
        self.counts = Counts()
        self.printed: list[str] = []
        self._wire = Wire(self.counts)
        self._wire.connect()

    def request(self, handler: Handler, event: dict[str, Any], size: int) -> None:
        self.counts.add_request(size)
        answer = self._invoke(API, handler, event)
        if answer["statusCode"] >= _ERRORS:
            raise RuntimeError(f"a request was refused: {answer['statusCode']}")
        self.counts.add_answer(answer)

    def deliver(self, rows: int, batch_size: int, to_s3: Handler, to_dynamodb: Handler) -> None:
        """Give both consumers the records of `rows` that were put since the last delivery, so many an invocation."""
        self.counts.rows += rows
        records = list(self._wire.records)
        self._wire.records.clear()
        for name, handler in ((TO_S3, to_s3), (TO_DYNAMODB, to_dynamodb)):
            for batch in in_chunks(records, batch_size):
                self._invoke(name, handler, kinesis_event(batch))

    def _invoke(self, name: str, handler: Handler, event: Any) -> Any:
        calls, own = Counter(self.counts.calls), self._wire.own_seconds
        started = time.process_time()
        answer = handler(event, CONTEXT)
        spent = time.process_time() - started - (self._wire.own_seconds - own)
        self.counts.cpu_seconds[name] += spent
        self.counts.invocations[name] += 1
        self.counts.calls_by_function.setdefault(name, Counter()).update(self.counts.calls - calls)
        for text in self.printed:  # after the invocation, so that its CPU time is its own
            self.counts.add_log(text)
        self.printed.clear()
        return answer
