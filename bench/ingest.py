"""POST /ingest from Lambda's event to the answer, beside FastAPI as taught, powertools, and the ceiling."""

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from aws.clients import kinesis_client
from bench import ours
from bench.clients import STREAM, make_clients
from bench.duel import Ratio, Side, duel
from bench.events import Context, gzip_request, json_request
from bench.finding import Finding, at_least, figure
from bench.rivals import aggregated, ceiling, idiomatic_api, plain_model, powertools
from bench.rows import Sent

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

_ROW_REQUESTS = 40
_TURN_SECONDS = 0.05
_WITH_PUT = "once it calls put_record by our client"
_WITH_PYDANTIC = "and takes pydantic with nine plain fields for msgspec, 250 rows at a time"
_ROWS = 500
_Handler = Callable[[Any, Any], dict[str, Any]]


def ingest_findings(small: Sequence[Sent], large: Sent) -> list[Finding]:
    """Batches of about 500 rows, because they end between invoices, and one of about 5,000. AWS is on loopback."""
    rows = [row for batch in small[:2] for row in _plain(batch)][:_ROWS]
    return [
        *_json_rows(rows),
        *_gzip_rows(small[1], 0.33),
        *_gzip_rows(large, 0.60),
        *_single_rows(rows),
        *_aggregation(rows),
    ]


def _json_rows(rows: Sequence[dict[str, Any]]) -> list[Finding]:
    clients = make_clients()
    event = json_request("/ingest", json.dumps(rows).encode())
    sides = {
        "ours": _call(ours.api_handler(), event),
        "idiomatic": _call(idiomatic_api.handler(clients.kinesis, STREAM), event),
        "powertools": _call(powertools.api_handler(clients.kinesis, STREAM), event),
        "ceiling": _call(ceiling.handler(_nothing), event),
    }
    rounds = duel(sides, len(rows), rounds=9, turn_seconds=_TURN_SECONDS)
    what = f"POST /ingest, {len(rows)} JSON rows, botocore on loopback"
    note = f"{rounds.microseconds('ours'):.1f} us a row"
    return [
        at_least(f"{what}, against idiomatic FastAPI", rounds.faster("ours", "idiomatic"), 2.2, note),
        figure(f"{what}, against powertools' resolver", f"{rounds.faster('ours', 'powertools')} x"),
        figure(f"{what}, share of the no-op ceiling's speed", str(rounds.faster("ours", "ceiling"))),
    ]


def _gzip_rows(batch: Sent, goal: float) -> list[Finding]:
    rounds = duel(_gzip_sides(batch), batch.rows, rounds=9, turn_seconds=_TURN_SECONDS)
    ratio = rounds.faster("ours", "ceiling")
    note = f"{rounds.microseconds('ours'):.2f} us a row; ceiling {rounds.microseconds('ceiling'):.2f}"
    what = f"gzip NDJSON, {batch.rows:,} rows, share of the no-op ceiling's speed"
    packing = "share of the speed of a raw handler that packs a record of the same rows as JSON"
    return [
        Finding(what, f">= {goal:g}", str(ratio), ratio.median >= goal, note),
        *(_floor(how, rounds.faster(how, "ceiling")) for how in (_WITH_PUT, _WITH_PYDANTIC)),
        figure(packing, str(rounds.faster("ours", "packing")), "msgspec, gzip, no-op client"),
    ]


def _gzip_sides(batch: Sent) -> dict[str, Side]:
    event, put = gzip_request(batch.body, batch.key), _putting(kinesis_client())
    as_json = json_request("/ingest", json.dumps(_plain(batch)).encode())
    return {
        "ours": _call(ours.api_handler(), event),
        "ceiling": _call(ceiling.handler(_nothing), event),
        "packing": _call(ceiling.packing_handler(_nothing), as_json),
        _WITH_PUT: _call(ceiling.handler(put), event),
        _WITH_PYDANTIC: _call(ceiling.handler(put, plain_model.count), event),
    }


def _floor(how: str, ratio: Ratio) -> Finding:
    return figure(f"the floor: the ceiling itself, {how}", str(ratio), "no framework, no rules")


def _single_rows(rows: Sequence[dict[str, Any]]) -> list[Finding]:
    clients = make_clients()
    texts = [json.dumps(row).encode() for row in rows[:_ROW_REQUESTS]]
    our_api, their_api = ours.api_handler(), idiomatic_api.handler(clients.kinesis, STREAM)
    sides: dict[str, Side] = {
        "ours": _calls(our_api, [json_request("/ingest", text) for text in texts]),
        "idiomatic": _calls(their_api, [json_request("/row", text) for text in texts]),
        "put_record": partial(_each, _putting(kinesis_client()), texts),
    }
    rounds = duel(sides, len(texts), turn_seconds=_TURN_SECONDS)
    note = f"{rounds.microseconds('ours'):.0f} us a request; idiomatic {rounds.microseconds('idiomatic'):.0f}"
    return [
        at_least("one row a request, against an idiomatic `def` route", rounds.faster("ours", "idiomatic"), 5, note),
        figure("the floor: our client's put_record and nothing else", f"{rounds.faster('put_record', 'idiomatic')} x"),
    ]


def _aggregation(rows: Sequence[dict[str, Any]]) -> list[Finding]:
    texts = [(row["InvoiceNo"], json.dumps(row).encode()) for row in rows]
    size = sum(map(len, aggregated.aggregate(texts)))
    return [figure("aws_kinesis_agg: bytes a row on the stream", f"{size / len(rows):.0f}", "ours: see the counts")]


def _plain(batch: Sent) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if value is not None} for row in batch.objects()]


def _call(handler: _Handler, event: dict[str, Any]) -> Callable[[], None]:
    return _calls(handler, [event])


def _calls(handler: _Handler, events: Sequence[dict[str, Any]]) -> Callable[[], None]:
    def run() -> None:
        for event in events:
            answer = handler(event, Context())
            if answer["statusCode"] not in (200, 202):
                raise RuntimeError(f"a rival or we refused the rows: {answer}")

    return run


def _putting(kinesis: "KinesisClient") -> Callable[[bytes], None]:
    def put(record: bytes) -> None:
        kinesis.put_record(StreamName=STREAM, Data=record, PartitionKey="bench")

    return put


def _each(put: Callable[[bytes], None], texts: Sequence[bytes]) -> None:
    for text in texts:
        put(text)


def _nothing(_body: bytes) -> None:
    pass
