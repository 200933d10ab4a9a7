"""POST /ingest from Lambda's event to the answer, beside FastAPI as its tutorial teaches it and beside the ceiling."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from aws.clients import kinesis_client
from bench.ab_benchmark import compare
from bench.baselines import ceiling, idiomatic
from bench.findings import Finding, at_least, figure
from bench.functions import api_handler, call, gzip_request, json_request
from bench.loopback import aws_on_loopback
from bench.rows import PostedBatch, first_batches
from bench.wire import STREAM, make_clients

_ROWS = 500
_SINGLE_ROWS = 40
_TURN_SECONDS = 0.05


def ingest_findings(csv: Path) -> list[Finding]:
    """Batches of some 500 rows, because they end between invoices, and one of some 5,000. AWS is on loopback."""
    small, (large,) = first_batches(csv, 500, 2), first_batches(csv, 5_000, 1)
    rows = [row for batch in small for row in batch.present_values()][:_ROWS]
    with aws_on_loopback():
        return [_json_rows(rows), *_gzip_rows(small[1], 0.33), *_gzip_rows(large, 0.60), *_single_rows(rows)]


def _json_rows(rows: Sequence[dict[str, Any]]) -> Finding:
    event = json_request("/ingest", json.dumps(rows).encode())
    theirs = idiomatic.api_handler(make_clients().kinesis, STREAM)
    sides = {"ours": call(api_handler(), event), "idiomatic": call(theirs, event)}
    rounds = compare(sides, len(rows), rounds=9, turn_seconds=_TURN_SECONDS)
    what = f"POST /ingest, {len(rows)} JSON rows, botocore on loopback, against idiomatic FastAPI"
    return at_least(what, rounds.speedup("ours", "idiomatic"), 2.2, f"{rounds.microseconds('ours'):.1f} us a row")


def _gzip_rows(batch: PostedBatch, goal: float) -> list[Finding]:
    event = gzip_request(batch.body, batch.key)
    sides = {
        "ours": call(api_handler(), event),
        "ceiling": call(ceiling.handler(lambda _body: None), event),
        "with put_record": call(ceiling.handler(_put_by_our_client()), event),
    }
    rounds = compare(sides, batch.rows, rounds=9, turn_seconds=_TURN_SECONDS)
    ratio = rounds.speedup("ours", "ceiling")
    note = f"{rounds.microseconds('ours'):.2f} us a row; ceiling {rounds.microseconds('ceiling'):.2f}"
    what = f"gzip NDJSON, {batch.rows:,} rows, share of the no-op ceiling's speed"
    floor = str(rounds.speedup("with put_record", "ceiling"))
    return [
        Finding(what, f">= {goal:g}", str(ratio), ratio.median >= goal, note),
        figure(
            "the floor: the ceiling itself, once it calls put_record by our client", floor, "no framework, no rules"
        ),
    ]


def _single_rows(rows: Sequence[dict[str, Any]]) -> list[Finding]:
    texts = [json.dumps(row).encode() for row in rows[:_SINGLE_ROWS]]
    theirs, put = idiomatic.api_handler(make_clients().kinesis, STREAM), _put_by_our_client()
    sides: dict[str, Callable[[], object]] = {
        "ours": call(api_handler(), *(json_request("/ingest", text) for text in texts)),
        "idiomatic": call(theirs, *(json_request("/row", text) for text in texts)),
        "put_record": lambda: [put(text) for text in texts],
    }
    rounds = compare(sides, len(texts), turn_seconds=_TURN_SECONDS)
    note = f"{rounds.microseconds('ours'):.0f} us a request; idiomatic {rounds.microseconds('idiomatic'):.0f}"
    floor = f"{rounds.speedup('put_record', 'idiomatic')} x"
    return [
        at_least("one row a request, against an idiomatic `def` route", rounds.speedup("ours", "idiomatic"), 5, note),
        figure("the floor: our client's put_record and nothing else", floor),
    ]


def _put_by_our_client() -> Callable[[bytes], object]:
    kinesis = kinesis_client()
    return lambda record: kinesis.put_record(StreamName=STREAM, Data=record, PartitionKey="bench")
