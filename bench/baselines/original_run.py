"""A slice of a run of the original's design, on the engine and with the processes of `make run`, until it is verified.

It gets what makes it faster: one shard, so that its batches are full, and a connection that stays open. The engine
goes through all records of the stream at every call, so a long run slows down; `earlier` records put a slice into the
middle of such a run.
"""

import csv
import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeAlias

import httpx

from bench.rows import in_chunks
from local_runtime.engine import start_engine
from local_runtime.environment import aws_environment, machine_environment
from local_runtime.errors import RunError
from local_runtime.folder import RunFolder, lock_folder
from local_runtime.messages import ConsumerCheckpoint, Inbox, consumer_line_parser, start_listener
from local_runtime.pipeline import API_PORT, consumer_command
from local_runtime.processes import LOOPBACK, Command, Supervisor, bind_loopback, supervise, wait_until_healthy
from local_runtime.stack.functions import Function
from local_runtime.stack.resources import Clients, engine_clients
from local_runtime.stack.template import Properties

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import PutRecordsRequestEntryTypeDef

Row: TypeAlias = Mapping[str, str]

_STREAM, _BUCKET, _INVOICES, _CUSTOMERS = "rows", "raw", "invoices", "customers"
_NAMES = {
    "STREAM_NAME": _STREAM,
    "RAW_BUCKET": _BUCKET,
    "INVOICES_TABLE": _INVOICES,
    "CUSTOMERS_TABLE": _CUSTOMERS,
}
_STAGES = ("to_s3", "to_dynamodb")
_MAPPING: Properties = {
    "StartingPosition": "TRIM_HORIZON"
}  # all the rest is AWS's default: up to 100 records, no window
_STREAM_ARN = f"arn:aws:kinesis:us-east-1:000000000000:stream/{_STREAM}"
_READ_AS_A_TYPE = "M"  # a stock code; as the name of an attribute the engine takes it for the type of a map
_RECORDS_PER_CALL = 500
_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class SliceRun:
    """Wall-clock seconds from the first request until all rows were stored, read back and compared."""

    rows: int
    seconds: float

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.seconds


def read_rows(file: Path, count: int) -> list[Row]:
    """The first rows of a UTF-8 file, without those that the engine refuses as attributes of an item."""
    with file.open(encoding="utf-8", newline="") as lines:
        return list(islice((row for row in csv.DictReader(lines) if row["StockCode"] != _READ_AS_A_TYPE), count))


def run_slice(rows: Sequence[Row], folder: Path, earlier: int = 0) -> SliceRun:
    """Send one row a request. Raises RunError if the stores do not hold the rows in the end, or a process ends."""
    with lock_folder(folder) as held, supervise() as supervisor:
        engine = start_engine(supervisor, held, machine_environment(os.environ, held.temporary))
        clients = engine_clients(engine.endpoint)
        _create_resources(clients)
        checkpoints = _put_earlier(clients.kinesis, islice(cycle(rows), earlier))
        machine = machine_environment(os.environ, held.temporary)
        environment = {**machine, **aws_environment(engine.endpoint), **_NAMES}
        url = _start_api(supervisor, held, environment)
        inbox = _start_consumers(supervisor, held, environment, checkpoints)
        started = time.perf_counter()
        _send(url, rows)
        _wait_until_stored(supervisor, inbox, len(rows))
        if _stored(clients) != expected(rows):
            raise RunError("the original's stores do not hold the rows that were sent")
        return SliceRun(len(rows), time.perf_counter() - started)


def expected(rows: Sequence[Row]) -> tuple[set[tuple[str, str]], set[tuple[str, str]], int]:
    """Pairs of invoice and stock code, of customer and invoice, and the number of rows in the bucket.

    A row that repeats an (invoice, stock code) overwrites the earlier one; that is the design.
    """
    invoices = {(row["InvoiceNo"], row["StockCode"]) for row in rows}
    return invoices, {(row["CustomerID"], row["InvoiceNo"]) for row in rows if row["CustomerID"]}, len(rows)


def _create_resources(clients: Clients) -> None:
    clients.kinesis.create_stream(StreamName=_STREAM, ShardCount=1)
    clients.kinesis.get_waiter("stream_exists").wait(StreamName=_STREAM, WaiterConfig={"Delay": 1})
    clients.s3.create_bucket(Bucket=_BUCKET)
    for table, key in ((_INVOICES, "InvoiceNo"), (_CUSTOMERS, "CustomerID")):
        clients.dynamodb.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
        )


def _put_earlier(kinesis: "KinesisClient", rows: Iterable[Row]) -> dict[str, str]:
    """Put rows that the consumers have behind them; the checkpoints that say so."""
    checkpoints: dict[str, str] = {}
    for chunk in in_chunks(rows, _RECORDS_PER_CALL):
        records: list[PutRecordsRequestEntryTypeDef] = [
            {"Data": json.dumps(row).encode(), "PartitionKey": "earlier"} for row in chunk
        ]
        last = kinesis.put_records(StreamName=_STREAM, Records=records)["Records"][-1]
        checkpoints[last["ShardId"]] = last["SequenceNumber"]
    return checkpoints


def _start_api(supervisor: Supervisor, folder: RunFolder, environment: Mapping[str, str]) -> str:
    quiet = ("--no-access-log", "--log-level", "warning", "--lifespan", "off")
    with bind_loopback(API_PORT) as listener:
        url = f"http://{LOOPBACK}:{listener.getsockname()[1]}"
        served = ("bench.baselines.original:api", "--fd", str(listener.fileno()))
        command = Command("the original's API", "uvicorn", folder.logs / "api.log", environment, (*served, *quiet))
        process = supervisor.start(command, listener)
    wait_until_healthy(process, url)
    return url


def _start_consumers(
    supervisor: Supervisor, folder: RunFolder, environment: Mapping[str, str], checkpoints: Mapping[str, str]
) -> Inbox:
    inbox: Inbox = SimpleQueue()
    for stage in _STAGES:
        saved = folder.temporary / f"{stage}.checkpoint"
        saved.write_text(json.dumps(checkpoints))
        handler, mapping = f"bench.baselines.original.{stage}", {**_MAPPING, "Stream": _STREAM_ARN}
        function = Function(stage, handler, {}, timeout_seconds=60, mapping=mapping, is_http=False)
        command = consumer_command(function, folder, environment, saved if checkpoints else None)
        process = supervisor.start(command)
        start_listener(stage, process.stdout_lines(), consumer_line_parser(stage), inbox)
    return inbox


def _send(url: str, rows: Iterable[Row]) -> None:
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        for row in rows:
            headers = {"Content-Type": "application/json"}
            client.post("/row", content=json.dumps(row), headers=headers).raise_for_status()


def _wait_until_stored(supervisor: Supervisor, inbox: Inbox, rows: int) -> None:
    """Until the checkpoints of both consumers are behind the last row."""
    missing = dict.fromkeys(_STAGES, rows)
    moved = time.monotonic()
    while any(missing.values()):
        supervisor.check()
        if time.monotonic() - moved > _PATIENCE_SECONDS:
            raise RunError(f"the original's consumers make no progress; rows missing: {missing}")
        try:
            message = inbox.get(timeout=0.1)
        except Empty:
            continue
        if isinstance(message, RunError):
            raise message
        if isinstance(message, ConsumerCheckpoint):
            missing[message.stage] -= len(message.acknowledged)
            moved = time.monotonic()


def _stored(clients: Clients) -> tuple[set[tuple[str, str]], set[tuple[str, str]], int]:
    pages = clients.s3.get_paginator("list_objects_v2").paginate(Bucket=_BUCKET)
    archived = 0
    for entry in (entry for page in pages for entry in page.get("Contents", [])):
        with closing(clients.s3.get_object(Bucket=_BUCKET, Key=entry["Key"])["Body"]) as body:
            archived += len(body.read().splitlines())
    invoices = _attributes(clients.dynamodb, _INVOICES, "InvoiceNo")
    return invoices, _attributes(clients.dynamodb, _CUSTOMERS, "CustomerID"), archived


def _attributes(dynamodb: "DynamoDBClient", table: str, key: str) -> set[tuple[str, str]]:
    """Every item's key with the name of each of its attributes."""
    pages = dynamodb.get_paginator("scan").paginate(TableName=table)
    items = (item for page in pages for item in page["Items"])
    return {(item[key]["S"], name) for item in items for name in item if name != key}
