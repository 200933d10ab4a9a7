"""The engine alone: our items put and read back by a caller that does nothing else. What `make run` waits for."""

import json
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import httpx

from aws.items import Item, pointer_items, slice_item
from bench.flows import chunks
from bench.rows import sent_batches
from bench.template import TEMPLATE
from invoices.batch import unpack
from invoices.invoice import Slice, slices_of
from invoices.limits import MAX_BODY_BYTES
from invoices.rows import read_ndjson
from local_runtime.engine import start_engine
from local_runtime.environment import ACCESS_KEY, REGION, machine_environment
from local_runtime.errors import RunError
from local_runtime.folder import lock_folder
from local_runtime.processes import supervise
from local_runtime.stack.resources import create_resources, engine_clients
from local_runtime.stack.template import physical_names, read_template

_BATCH_ROWS = 5_000
_ITEMS_PER_CALL = 25
_TARGET = "DynamoDB_20120810"
_SIGNED_BY_NOBODY = f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/20260101/{REGION}/dynamodb/aws4_request"
"""The engine takes the region from it, and checks nothing."""


@dataclass(frozen=True, slots=True)
class EngineAlone:
    """Wall-clock seconds of putting all items, and of reading them all."""

    rows: int
    items: int
    put: float
    read: float

    @property
    def rows_per_second(self) -> float:
        return self.rows / (self.put + self.read)


def engine_alone(source: Path, folder: Path) -> EngineAlone:
    """With a CSV's rows, made into items before the time runs. Raises RunError unless the engine gives all back."""
    batches = list(sent_batches(source, _BATCH_ROWS))
    slices = [invoice_slice for batch in batches for invoice_slice in _slices(batch.body, batch.key)]
    template = read_template(TEMPLATE)
    physical = physical_names(template)
    invoices, customers = (physical.names[table] for table in ("InvoicesTable", "CustomersTable"))
    puts = [(invoices, slice_item(invoice_slice)) for invoice_slice in slices]
    puts += [(customers, item) for invoice_slice in slices for item in pointer_items(invoice_slice)]
    bodies = [_body(chunk) for chunk in chunks(puts, _ITEMS_PER_CALL)]
    with lock_folder(folder) as held, supervise() as supervisor:
        engine = start_engine(supervisor, held, machine_environment(os.environ, held.temporary))
        create_resources(template, physical, engine_clients(engine.endpoint))
        with httpx.Client(base_url=engine.endpoint, trust_env=False, timeout=60) as http:
            started = time.perf_counter()
            for body in bodies:
                _call(http, "BatchWriteItem", body)
            put = time.perf_counter()
            count = sum(_held(http, table) for table in (invoices, customers))
            read = time.perf_counter()
    if count != len(puts):
        raise RunError(f"the engine took {len(puts):,} items and gave {count:,} back")
    return EngineAlone(sum(batch.rows for batch in batches), len(puts), put - started, read - put)


def _slices(body: bytes, key: str) -> list[Slice]:
    return slices_of(read_ndjson(unpack(body, MAX_BODY_BYTES)), key)


def _body(puts: Iterable[tuple[str, Item]]) -> bytes:
    requests: dict[str, list[dict[str, object]]] = {}
    for table, item in puts:
        requests.setdefault(table, []).append({"PutRequest": {"Item": item}})
    return json.dumps({"RequestItems": requests}).encode()


def _held(http: httpx.Client, table: str) -> int:
    """Counts what a Scan brings, page by page."""
    count = 0
    start: dict[str, object] = {}
    while True:
        answer = json.loads(_call(http, "Scan", json.dumps({"TableName": table, **start}).encode()))
        count += len(answer["Items"])
        if "LastEvaluatedKey" not in answer:
            return count
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def _call(http: httpx.Client, operation: str, body: bytes) -> bytes:
    headers = {"X-Amz-Target": f"{_TARGET}.{operation}", "Authorization": _SIGNED_BY_NOBODY}
    return http.post("/", content=body, headers=headers).raise_for_status().content
