"""CPU time of a row in the API, the consumers and the client, in turns with what others would write.

The API and the consumers are timed from Lambda's event to the answer; AWS is a server on loopback.
"""

import json
import tempfile
from pathlib import Path

from bench.ab_benchmark import Side, compare
from bench.baselines import idiomatic
from bench.designs import API, TO_DYNAMODB, TO_S3
from bench.findings import Finding, at_least
from bench.functions import call, json_request, kinesis_event, start
from bench.loopback import aws_on_loopback
from bench.rows import first_batches, grow
from client.api import Address
from client.batches import AnsweredBatch
from client.environment import Environment
from client.send import SendSettings, send

_TURN_SECONDS = 0.5  # one run of `batch_writer` takes as long
_CLIENT_ROWS = 200_000
_CLIENT_BATCH_ROWS = 5_000


def ingest_findings(csv: Path) -> list[Finding]:
    """POST /ingest, beside FastAPI as its tutorial teaches it."""
    (batch,) = first_batches(csv, 1_000, 1)
    rows = batch.present_values()[:500]
    many = json_request("/ingest", json.dumps(rows).encode())
    texts = [json.dumps(row).encode() for row in rows[:40]]
    with aws_on_loopback():
        ours, theirs = start(API), idiomatic.api()
        return [
            _speedup(
                f"POST /ingest, {len(rows)} JSON rows, botocore on loopback, against idiomatic FastAPI",
                2.2,
                len(rows),
                call(ours, many),
                call(theirs, many),
            ),
            _speedup(
                "one row a request, against an idiomatic `def` route",
                5,
                len(texts),
                call(ours, *(json_request("/ingest", text) for text in texts)),
                call(theirs, *(json_request("/row", text) for text in texts)),
            ),
        ]


def consumer_findings(csv: Path) -> list[Finding]:
    """Beside what boto3's documentation suggests.

    Records have some 5,000 rows; `to_s3` gets as many as an invocation can get.
    """
    batches = first_batches(csv, 5_000, 6)
    first = batches[0]
    six = kinesis_event([(batch.key, batch.body) for batch in batches])
    one = kinesis_event([(first.key, first.body)])
    with aws_on_loopback():
        return [
            _speedup(
                f"to_s3, {len(batches)} records of {first.rows:,} rows, against decode + gunzip + join + gzip",
                6,
                sum(batch.rows for batch in batches),
                call(start(TO_S3), six),
                call(idiomatic.to_s3(), six),
            ),
            _speedup(
                f"to_dynamodb, {first.rows:,} rows, against `batch_writer` a row",
                12,
                first.rows,
                call(start(TO_DYNAMODB), one),
                call(idiomatic.to_dynamodb(), one),
            ),
        ]


def client_findings(csv: Path) -> list[Finding]:
    """From the CSV's bytes to posted batches; the server accepts everything.

    Each side opens its HTTP client inside its time. Neither reads certificates of authorities: the address is http.
    """
    with tempfile.TemporaryDirectory() as folder, aws_on_loopback() as url:
        file = grow(csv, _CLIENT_ROWS, Path(folder) / "rows.csv")
        return [
            _speedup(
                f"CSV to posted batches, {_CLIENT_ROWS:,} rows, against `csv` + `strptime` + `json.dumps`",
                4,
                _CLIENT_ROWS,
                lambda: _send(file, url),
                lambda: idiomatic.send(file, url, _CLIENT_BATCH_ROWS),
            )
        ]


def _speedup(what: str, goal: float, rows: int, ours: Side, theirs: Side) -> Finding:
    """`ours` is to be `goal` times as fast as `theirs`; one run of either has so many rows."""
    rounds = compare({"ours": ours, "theirs": theirs}, rows, turn_seconds=_TURN_SECONDS)
    note = f"{rounds.microseconds('ours'):.2f} us a row; the other {rounds.microseconds('theirs'):.2f}"
    return at_least(what, rounds.speedup("ours", over="theirs"), goal, note)


def _send(file: Path, url: str) -> None:
    summary = send(SendSettings(file, Address(url), _CLIENT_BATCH_ROWS, in_flight=4), Environment(), _Silent())
    if summary.ending or summary.stats.rejected:
        raise RuntimeError(f"the upload did not end well: {summary.ending}")


class _Silent:
    def batch_answered(self, batch: AnsweredBatch) -> None:
        pass
