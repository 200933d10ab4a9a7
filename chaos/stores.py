"""One seed's own stream, bucket and tables: those of template.yaml, under names of their own, on a local engine."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from aws.bucket import Bucket
from aws.clients import dynamodb_client, kinesis_client, s3_client, sqs_client
from local_runtime.engine import temporary_engine
from local_runtime.environment import aws_environment
from local_runtime.stack.functions import Function, read_functions, stream_functions
from local_runtime.stack.resources import Clients, create_resources
from local_runtime.stack.template import STACK, physical_names, read_template

TEMPLATE = Path(__file__).parent.parent / "template.yaml"


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

    def put_record(self, key: str, data: bytes) -> str:
        """Returns its sequence number."""
        answer = self.clients.kinesis.put_record(StreamName=self.stream, PartitionKey=key, Data=data)
        return answer["SequenceNumber"]

    def objects(self) -> dict[str, bytes]:
        """Every object of the bucket by its key."""
        bucket = Bucket(self.clients.s3, self.bucket)
        return {each.key: bucket.read(each.key) for each in bucket.objects("")}

    def versions(self) -> Iterator[tuple[str, bytes]]:
        """Every version of every object, with its key."""
        bucket = Bucket(self.clients.s3, self.bucket)
        for version in bucket.versions():
            yield version.key, bucket.content_of(version)

    def items(self, table: str) -> Iterator[Mapping[str, Any]]:
        for page in self.clients.dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
            yield from page["Items"]


def create_stores(prefix: str) -> Stores:
    """Empty ones. `prefix` keeps seeds apart; the environment says where AWS is."""
    template = read_template(TEMPLATE)
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


def close_clients(*several: Clients) -> None:
    for clients in several:
        for client in (clients.kinesis, clients.s3, clients.dynamodb):
            client.close()


@contextmanager
def running_engine() -> Iterator[None]:
    """An engine runs, and this process's environment leads to it and to no account of the user's."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with temporary_engine() as engine, patch.dict(os.environ, clear=True):
        os.environ.update({**others, **aws_environment(engine.endpoint)})
        yield
