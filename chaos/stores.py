"""One seed's own stream, bucket, tables and lake: those of template.yaml, under names of their own, and what they hold.

The product's code lists and reads objects, the log of the lake and its summaries. Rows are read without it.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import duckdb

from aws.bucket import Bucket
from aws.clients import dynamodb_client, kinesis_client, s3_client, sqs_client
from aws.totals import TotalsStore
from chaos.rows import Fact
from consumers.lake.table import LakeTable
from local_runtime.engine import temporary_engine
from local_runtime.environment import aws_environment
from local_runtime.stack.functions import Function, read_functions, stream_functions
from local_runtime.stack.resources import Clients, create_resources
from local_runtime.stack.template import STACK, physical_names, read_template

_TEMPLATE = Path(__file__).parent.parent / "template.yaml"
_LAKE_ROWS = """
    SELECT * EXCLUDE StatedAt
    REPLACE (strftime(make_timestamp(epoch_us(InvoiceDate)), '%Y-%m-%dT%H:%M:%S') AS InvoiceDate)
    FROM read_parquet($path, hive_partitioning = false)
"""


@dataclass(frozen=True, slots=True)
class Stores:
    """`functions` are the template's consumers by stage: `to_s3`, `to_dynamodb`. `clients` meet no faults."""

    clients: Clients
    prefix: str
    stream: str
    bucket: str
    invoices: str
    customers: str
    batches: str
    lake_bucket: str
    lake_queue: str
    functions: Mapping[str, Function]

    def objects(self) -> dict[str, bytes]:
        """Every object of the bucket by its key."""
        bucket = Bucket(self.clients.s3, self.bucket)
        return {each.key: bucket.read(each.key) for each in bucket.objects("")}

    def versions(self) -> Iterator[tuple[str, bytes]]:
        """Every version of every object, with its key."""
        bucket = Bucket(self.clients.s3, self.bucket)
        return ((version.key, bucket.content_of(version)) for version in bucket.versions())

    def items(self, table: str) -> Iterator[Mapping[str, Any]]:
        for page in self.clients.dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
            yield from page["Items"]

    def lake_rows(self) -> dict[str, list[Mapping[str, Any]]]:
        """The rows of each data file of the lake by its path, also of each old one."""
        bucket = Bucket(self.clients.s3, self.lake_bucket)
        rows: dict[str, list[Mapping[str, Any]]] = {}
        with TemporaryDirectory() as folder:
            copy = Path(folder, "file.parquet")
            for each in bucket.objects("lines/month="):
                copy.write_bytes(bucket.read(each.key))
                found = duckdb.execute(_LAKE_ROWS, {"path": str(copy)})
                names = [name for name, *_ in found.description]
                rows[each.key.removeprefix("lines/")] = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        return rows

    def lake_facts(self) -> list[Fact]:
        """The lines that hold. A line that is there twice comes twice."""
        rows = self.lake_rows()
        files = LakeTable(self.clients.s3, self.lake_bucket).snapshot().files
        return [Fact.of(row) for file in files for row in rows[file.path] if not row["Withdrawn"]]

    def lake_sums(self) -> tuple[int, Decimal]:
        """Lines and amount by the summaries that GET /totals reads."""
        totals = TotalsStore(self.clients.s3, self.lake_bucket)
        current = totals.current()
        days = [day for key in current.months.values() for day in totals.month(key)] if current else []
        return sum(day.lines for day in days), sum((Decimal(day.amount) for day in days), Decimal(0))


def create_stores(prefix: str) -> Stores:
    """Empty ones. `prefix` keeps seeds apart; the environment says where AWS is."""
    template = read_template(_TEMPLATE)
    physical = physical_names(template, f"{prefix}-{STACK}")
    clients = new_clients()
    create_resources(template, physical, clients)
    names = physical.names
    consumers = stream_functions(read_functions(template, physical))
    return Stores(
        clients=clients,
        prefix=prefix,
        stream=names["Stream"],
        bucket=names["RawBucket"],
        invoices=names["InvoicesTable"],
        customers=names["CustomersTable"],
        batches=names["BatchesTable"],
        lake_bucket=names["LakeBucket"],
        lake_queue=clients.sqs.get_queue_url(QueueName=names["LakeQueue"])["QueueUrl"],
        functions={function.stage: function for function in consumers},
    )


def new_clients() -> Clients:
    """Made as the product makes its own."""
    return Clients(kinesis_client(), s3_client(), dynamodb_client(), sqs_client())


@contextmanager
def running_engine() -> Iterator[None]:
    """An engine runs, and this process's environment leads to it and to no account of the user's."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with temporary_engine() as engine, patch.dict(os.environ, clear=True):
        os.environ.update({**others, **aws_environment(engine.endpoint)})
        yield
