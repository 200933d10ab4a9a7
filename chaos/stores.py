"""One seed's own stream, bucket and tables: the template's, under names of their own."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from aws.clients import dynamodb_client, kinesis_client, s3_client
from chaos.aws_faults import AwsFaults
from local_runtime.event_source_mapping import MappingSettings
from local_runtime.stack.functions import Function, functions_of, stream_functions
from local_runtime.stack.resources import Clients, Physical, create_resources, physical_names
from local_runtime.stack.template import Template, read_template

TEMPLATE = Path(__file__).parent.parent / "template.yaml"


@dataclass(frozen=True, slots=True)
class Stores:
    """`functions` are the template's consumers by the name of their module: `to_s3`, `to_dynamodb`."""

    clients: Clients
    prefix: str
    stream: str
    bucket: str
    invoices: str
    customers: str
    functions: Mapping[str, Function]

    def settings_of(self, stage: str) -> MappingSettings:
        return MappingSettings.model_validate(self.functions[stage].mapping)


def faulty_clients(faults: AwsFaults) -> Clients:
    """The product's own clients, on a way to AWS that has faults."""
    clients = Clients(kinesis_client(), s3_client(), dynamodb_client())
    for client in (clients.kinesis, clients.s3, clients.dynamodb):
        faults.attach(client)
    return clients


def new_stores(prefix: str) -> Stores:
    """Created empty. `prefix` keeps seeds apart; the environment says where AWS is."""
    template = _template()
    physical = _renamed(physical_names(template), prefix)
    clients = Clients(kinesis_client(), s3_client(), dynamodb_client())
    create_resources(template, physical, clients)
    names = physical.names
    return Stores(
        clients=clients,
        prefix=prefix,
        stream=names["Stream"],
        bucket=names["RawBucket"],
        invoices=names["InvoicesTable"],
        customers=names["CustomersTable"],
        functions=_consumers(template, physical),
    )


@cache
def _template() -> Template:
    return read_template(TEMPLATE)


def close_clients(*several: Clients) -> None:
    for clients in several:
        for client in (clients.kinesis, clients.s3, clients.dynamodb):
            client.close()


def _renamed(physical: Physical, prefix: str) -> Physical:
    names = {name: f"{prefix}-{text}" for name, text in physical.names.items()}
    arns = {name: arn.replace(physical.names[name], names[name]) for name, arn in physical.arns.items()}
    return Physical(names, arns)


def _consumers(template: Template, physical: Physical) -> dict[str, Function]:
    found = stream_functions(functions_of(template, physical))
    return {function.handler.split(".")[-2]: function for function in found}


@contextmanager
def environment(own: Mapping[str, str]) -> Iterator[None]:
    """These variables are set inside the block, and no other of AWS's."""
    before = dict(os.environ)
    for name in [name for name in before if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(own)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
