"""One seed's own stream, bucket and tables: those of template.yaml, under names of their own, on a local engine."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws.clients import dynamodb_client, kinesis_client, s3_client, sqs_client
from local_runtime.engine import temporary_engine
from local_runtime.environment import aws_environment
from local_runtime.stack.functions import Function, read_functions, stream_functions
from local_runtime.stack.resources import Clients, create_resources
from local_runtime.stack.template import PhysicalNames, physical_names, read_template

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

    def put_record(self, key: str, data: bytes) -> None:
        self.clients.kinesis.put_record(StreamName=self.stream, PartitionKey=key, Data=data)

    def objects(self) -> dict[str, bytes]:
        """Every object of the bucket by its key."""
        s3 = self.clients.s3
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        return {key: s3.get_object(Bucket=self.bucket, Key=key)["Body"].read() for key in keys}

    def items(self, table: str) -> Iterator[Mapping[str, Any]]:
        for page in self.clients.dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
            yield from page["Items"]


def create_stores(prefix: str) -> Stores:
    """Empty ones. `prefix` keeps seeds apart; the environment says where AWS is."""
    template = read_template(TEMPLATE)
    physical = _renamed(physical_names(template), prefix)
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
    with temporary_engine() as engine, _environment(aws_environment(engine.endpoint)):
        yield


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """These variables are set inside the block, and no other of AWS's."""
    before = dict(os.environ)
    for name in [name for name in before if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _renamed(physical: PhysicalNames, prefix: str) -> PhysicalNames:
    names = {name: f"{prefix}-{text}" for name, text in physical.names.items()}
    arns = {name: _renamed_arn(arn, physical.names.values(), prefix) for name, arn in physical.arns.items()}
    return PhysicalNames(names, arns)


def _renamed_arn(arn: str, names: Iterable[str], prefix: str) -> str:
    """The resource is the last part of an ARN; a stream's consumer has the name of its stream before its own."""
    longest = max((name for name in names if f"/{name}" in arn or arn.endswith(f":{name}")), key=len, default="")
    return arn.replace(longest, f"{prefix}-{longest}", 1) if longest else arn
