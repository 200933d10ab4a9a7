"""The original's design whole, on the engine and with the processes of `make run`, until every row is stored.

It gets what makes it faster: one shard, so that its batches are full, and connections that stay open. The engine goes
through all records of the stream at every call, so a long run slows down; `already` puts a slice into such a run.
"""

import csv
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeAlias

import httpx

from bench.rivals import row_client
from local_runtime.engine import start_engine
from local_runtime.environment import aws_environment, machine_environment
from local_runtime.errors import RunError
from local_runtime.folder import RunFolder, lock_folder
from local_runtime.messages import ConsumerCheckpoint, Inbox, consumer_line_parser, start_listener
from local_runtime.pipeline import API_PORT
from local_runtime.processes import (
    LOOPBACK,
    Command,
    Supervisor,
    bind_loopback,
    supervise,
    wait_until_healthy,
)
from local_runtime.stack.resources import Clients, engine_clients

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import PutRecordsRequestEntryTypeDef
    from mypy_boto3_s3 import S3Client

Row: TypeAlias = Mapping[str, str]
Pairs: TypeAlias = set[tuple[str, str]]

_NAMES = {
    "STREAM_NAME": "rows",
    "RAW_BUCKET": "raw",
    "INVOICES_TABLE": "invoices",
    "CUSTOMERS_TABLE": "customers",
}
_STAGES = ("to_s3", "to_dynamodb")
_FUNCTIONS = "bench.rivals.original_functions"
_MAPPING = {"StartingPosition": "TRIM_HORIZON"}  # all the rest is AWS's default: up to 100 records, no window
_TAKEN_FOR_A_MAP = "M"  # a stock code of the data set, and to the engine, as an attribute's name, the type of a map
_PUT_RECORDS = 500  # AWS: records in one PutRecords
_PATIENCE_SECONDS = 60.0
_TICK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Held:
    """What a slice of rows leaves: pairs of invoice and stock code, of customer and invoice, and rows in the bucket.

    A row that repeats an (invoice, stock code) overwrites the earlier one; that is the design.
    """

    invoices: Pairs
    customers: Pairs
    archived: int


@dataclass(frozen=True, slots=True)
class SliceRun:
    """Seconds from the first request: until all was sent, until it was stored, until it was read back and compared.

    `already` records were in the stream before.
    """

    rows: int
    already: int
    connections: int
    sent: float
    stored: float
    verified: float

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.verified


@dataclass(frozen=True, slots=True)
class _Site:
    """Where the design runs."""

    supervisor: Supervisor
    url: str
    inbox: Inbox
    clients: Clients


def takeable_rows(file: Path, count: int) -> list[Row]:
    """The first rows of a UTF-8 file, but for those that the engine refuses as attributes of an item."""
    with file.open(encoding="utf-8", newline="") as lines:
        return list(islice((row for row in csv.DictReader(lines) if row["StockCode"] != _TAKEN_FOR_A_MAP), count))


def run_slice(rows: Sequence[Row], folder: Path, connections: int = 1, already: int = 0) -> SliceRun:
    """Send them a row a request. Raises RunError if the stores do not hold them in the end, or a process ends."""
    with lock_folder(folder) as held, supervise() as supervisor:
        site = _started(supervisor, held, islice(cycle(rows), already))
        parts = _parts(rows, held.temporary, connections)
        started = time.perf_counter()
        _send(site.url, parts)
        sent = time.perf_counter() - started
        _wait_until_stored(site, len(rows))
        stored = time.perf_counter() - started
        if read_held(site.clients) != expected(rows):
            raise RunError("the original's stores do not hold the rows that were sent")
        return SliceRun(len(rows), already, connections, sent, stored, time.perf_counter() - started)


def expected(rows: Sequence[Row]) -> Held:
    """What the stores must hold after these rows."""
    return Held(
        invoices={(row["InvoiceNo"], row["StockCode"]) for row in rows},
        customers={(row["CustomerID"], row["InvoiceNo"]) for row in rows if row["CustomerID"]},
        archived=len(rows),
    )


def _started(supervisor: Supervisor, folder: RunFolder, earlier: Iterator[Row]) -> _Site:
    machine = machine_environment(os.environ, folder.temporary)
    engine = start_engine(supervisor, folder, machine)
    clients = engine_clients(engine.endpoint)
    _create(clients)
    checkpoint = _put_before(clients.kinesis, earlier)
    environment = {**machine, **aws_environment(engine.endpoint), **_NAMES}
    url = _start_api(supervisor, folder, environment)
    inbox: Inbox = SimpleQueue()
    for stage in _STAGES:
        command = _consumer(stage, folder, environment, checkpoint)
        consumer = supervisor.start(command)
        start_listener(command.name, consumer.stdout_lines(), consumer_line_parser(stage), inbox)
    return _Site(supervisor, url, inbox, clients)


def _put_before(kinesis: "KinesisClient", rows: Iterator[Row]) -> dict[str, str]:
    """Put rows that the consumers are to have behind them; the checkpoint that says so."""
    checkpoint: dict[str, str] = {}
    while some := [json.dumps(row).encode() for row in islice(rows, _PUT_RECORDS)]:
        records: list[PutRecordsRequestEntryTypeDef] = [{"Data": data, "PartitionKey": "earlier"} for data in some]
        last = kinesis.put_records(StreamName=_NAMES["STREAM_NAME"], Records=records)["Records"][-1]
        checkpoint[last["ShardId"]] = last["SequenceNumber"]
    return checkpoint


def _create(clients: Clients) -> None:
    clients.kinesis.create_stream(StreamName=_NAMES["STREAM_NAME"], ShardCount=1)
    clients.kinesis.get_waiter("stream_exists").wait(StreamName=_NAMES["STREAM_NAME"], WaiterConfig={"Delay": 1})
    clients.s3.create_bucket(Bucket=_NAMES["RAW_BUCKET"])
    for table, key in ((_NAMES["INVOICES_TABLE"], "InvoiceNo"), (_NAMES["CUSTOMERS_TABLE"], "CustomerID")):
        clients.dynamodb.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
        )


def _start_api(supervisor: Supervisor, folder: RunFolder, environment: Mapping[str, str]) -> str:
    quiet = ("--no-access-log", "--log-level", "warning", "--lifespan", "off")
    with bind_loopback(API_PORT) as listener:
        url = f"http://{LOOPBACK}:{listener.getsockname()[1]}"
        served = ("bench.rivals.original_api:app", "--fd", str(listener.fileno()))
        command = Command("the original's API", "uvicorn", folder.logs / "api.log", environment, (*served, *quiet))
        process = supervisor.start(command, listener)
    wait_until_healthy(process, url)
    return url


def _consumer(stage: str, folder: RunFolder, environment: Mapping[str, str], checkpoint: Mapping[str, str]) -> Command:
    """It goes on after the checkpoint, if there is one."""
    saved = folder.temporary / f"{stage}.checkpoint"
    saved.write_text(json.dumps(checkpoint))
    return Command(
        name=f"the original's {stage}",
        module="local_runtime.function_process",
        log=folder.logs / f"{stage}.log",
        environment=environment,
        arguments=(
            *("--handler", f"{_FUNCTIONS}.{stage}"),
            *("--stream", _NAMES["STREAM_NAME"]),
            *("--mapping", json.dumps(_MAPPING)),
            *(("--checkpoint-file", str(saved)) if checkpoint else ()),
        ),
        pipes_stdout=True,
    )


def _parts(rows: Sequence[Row], folder: Path, count: int) -> list[Path]:
    """The rows dealt out to as many files, each for one connection."""
    return [_part(folder / f"part{number}.csv", rows[number::count]) for number in range(count)]


def _part(file: Path, rows: Sequence[Row]) -> Path:
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return file


def _send(url: str, parts: Sequence[Path]) -> None:
    """Being interrupted closes the client, and so ends its threads, which the pool waits for."""
    with ThreadPoolExecutor(len(parts)) as pool, httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        list(pool.map(lambda part: row_client.send(part, client), parts))


def _wait_until_stored(site: _Site, rows: int) -> None:
    """Until both consumers' checkpoints are behind the last row."""
    missing = dict.fromkeys(_STAGES, rows)
    moved = time.monotonic()
    while any(missing.values()):
        site.supervisor.check()
        if time.monotonic() - moved > _PATIENCE_SECONDS:
            raise RunError(f"the original's consumers stand still before {missing} rows")
        if step := _next(site.inbox):
            missing[step.stage] -= len(step.acknowledged)
            moved = time.monotonic()


def _next(inbox: Inbox) -> ConsumerCheckpoint | None:
    try:
        message = inbox.get(timeout=_TICK_SECONDS)
    except Empty:
        return None
    if isinstance(message, RunError):
        raise message
    return message if isinstance(message, ConsumerCheckpoint) else None


def read_held(clients: Clients) -> Held:
    return Held(
        invoices=_attributes(clients.dynamodb, _NAMES["INVOICES_TABLE"], "InvoiceNo"),
        customers=_attributes(clients.dynamodb, _NAMES["CUSTOMERS_TABLE"], "CustomerID"),
        archived=_archived_rows(clients.s3),
    )


def _attributes(dynamodb: "DynamoDBClient", table: str, key: str) -> Pairs:
    """Every item's key with the name of each of its attributes."""
    pages = dynamodb.get_paginator("scan").paginate(TableName=table)
    items = (item for page in pages for item in page["Items"])
    return {(item[key]["S"], name) for item in items for name in item if name != key}


def _archived_rows(s3: "S3Client") -> int:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=_NAMES["RAW_BUCKET"])
    names = [each["Key"] for page in pages for each in page.get("Contents", [])]
    return sum(_lines(s3, name) for name in names)


def _lines(s3: "S3Client", name: str) -> int:
    with closing(s3.get_object(Bucket=_NAMES["RAW_BUCKET"], Key=name)["Body"]) as body:
        return len(body.read().splitlines())
