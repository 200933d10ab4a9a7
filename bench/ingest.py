"""POST /ingest from Lambda's event to the answer, beside FastAPI as its tutorial teaches it and beside the ceiling."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.ab_benchmark import compare
from bench.baselines import ceiling, idiomatic
from bench.designs import API
from bench.findings import Finding, at_least
from bench.functions import call, gzip_request, json_request, start
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
        return [_json_rows(rows), _gzip_rows(small[1], 0.33), _gzip_rows(large, 0.60), _single_rows(rows)]


def _json_rows(rows: Sequence[dict[str, Any]]) -> Finding:
    event = json_request("/ingest", json.dumps(rows).encode())
    theirs = idiomatic.api_handler(make_clients().kinesis, STREAM)
    sides = {"ours": call(start(API), event), "idiomatic": call(theirs, event)}
    rounds = compare(sides, len(rows), rounds=9, turn_seconds=_TURN_SECONDS)
    what = f"POST /ingest, {len(rows)} JSON rows, botocore on loopback, against idiomatic FastAPI"
    return at_least(what, rounds.speedup("ours", "idiomatic"), 2.2, f"{rounds.microseconds('ours'):.1f} us a row")


def _gzip_rows(batch: PostedBatch, goal: float) -> Finding:
    event = gzip_request(batch.body, batch.key)
    sides = {"ours": call(start(API), event), "ceiling": call(ceiling.handler, event)}
    rounds = compare(sides, batch.rows, rounds=9, turn_seconds=_TURN_SECONDS)
    what = f"gzip NDJSON, {batch.rows:,} rows, share of the no-op ceiling's speed"
    note = f"{rounds.microseconds('ours'):.2f} us a row; ceiling {rounds.microseconds('ceiling'):.2f}"
    return at_least(what, rounds.speedup("ours", "ceiling"), goal, note)


def _single_rows(rows: Sequence[dict[str, Any]]) -> Finding:
    texts = [json.dumps(row).encode() for row in rows[:_SINGLE_ROWS]]
    theirs = idiomatic.api_handler(make_clients().kinesis, STREAM)
    sides = {
        "ours": call(start(API), *(json_request("/ingest", text) for text in texts)),
        "idiomatic": call(theirs, *(json_request("/row", text) for text in texts)),
    }
    rounds = compare(sides, len(texts), turn_seconds=_TURN_SECONDS)
    note = f"{rounds.microseconds('ours'):.0f} us a request; idiomatic {rounds.microseconds('idiomatic'):.0f}"
    what = "one row a request, against an idiomatic `def` route"
    return at_least(what, rounds.speedup("ours", "idiomatic"), 5, note)
