"""The whole pipeline on this machine: engine, resources, API and consumers, each after what it needs."""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aws.api_keys import Scope
from local_runtime.engine import start_engine
from local_runtime.environment import aws_environment, machine_environment, write_environment
from local_runtime.errors import RunError
from local_runtime.folder import RunFolder
from local_runtime.json_log import UVICORN_CONFIG
from local_runtime.processes import (
    LOOPBACK,
    Command,
    Process,
    Supervisor,
    bind_loopback,
    is_answering,
    peak_memory,
    wait_until_healthy,
)
from local_runtime.report import Places
from local_runtime.stack.functions import Function, functions_of, http_function, stream_functions
from local_runtime.stack.resources import Clients, create_resources, engine_clients, physical_names
from local_runtime.stack.template import Template
from local_runtime.upload import Inbox, from_consumer, listen
from pipeline_ops.api_keys import KeyRing

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# The run's own API key: a new one for each run, for sending and asking.

API_KEY = "INVOICE_API_KEY"
HEADER = "X-Api-Key"


def create_key(dynamodb: "DynamoDBClient", variables: Mapping[str, str]) -> str:
    """The key's text; its hash goes into the table that the functions' variables name."""
    if "KEYS_TABLE" not in variables:
        raise RunError("no function of the template has the environment variable KEYS_TABLE")
    ring = KeyRing(dynamodb, variables["KEYS_TABLE"], lambda: datetime.now(UTC), secrets.token_bytes)
    return ring.create("make run", Scope)


# The API's dev server: the FastAPI app under uvicorn, in a process of its own.

PREFERRED_PORT = 8000
_APP = "pipeline_api.main:app"


@dataclass(frozen=True)
class ApiServer:
    url: str
    process: Process
    port_was_taken: bool


def start_api(supervisor: Supervisor, folder: RunFolder, environment: Mapping[str, str]) -> ApiServer:
    """Start it and wait until `/healthz` answers."""
    log_config = folder.temporary / "uvicorn.json"
    log_config.write_text(json.dumps(UVICORN_CONFIG))
    logged = ("--no-access-log", "--log-config", str(log_config))  # a path names a customer
    with bind_loopback(PREFERRED_PORT) as listener:
        port = listener.getsockname()[1]
        served = (_APP, "--fd", str(listener.fileno()), "--timeout-graceful-shutdown", "10")
        command = Command("the API", "uvicorn", folder.logs / "api.log", environment, (*served, *logged))
        process = supervisor.start(replace(command, inherited_socket=listener))
    url = f"http://{LOOPBACK}:{port}"
    wait_until_healthy(process, f"{url}/healthz", is_healthy=is_answering)
    return ApiServer(url, process, port_was_taken=port != PREFERRED_PORT)


# The consumers: for each function that a stream feeds, a process that polls and calls its handler as Lambda would.


def start_consumer(
    supervisor: Supervisor, folder: RunFolder, function: Function, surroundings: Mapping[str, str]
) -> Process:
    """It sees its own variables of the template, and of the other functions' none."""
    return supervisor.start(
        Command(
            name=f"the consumer {stage_of(function)}",
            module="local_runtime.function_process",
            log=folder.logs / f"{stage_of(function)}.log",
            environment={**surroundings, **function.environment},
            arguments=_arguments(function),
            speaks=True,
        )
    )


def stage_of(function: Function) -> str:
    """`consumers.to_s3.handler` is the stage to_s3."""
    return function.handler.split(".")[-2]


def _arguments(function: Function) -> list[str]:
    return [
        *("--handler", function.handler),
        *("--stream", function.stream),
        *("--mapping", json.dumps(function.mapping)),
        *("--timeout", str(function.timeout_seconds)),
    ]


@dataclass(frozen=True)
class Pipeline:
    """Everything runs. `consumers` holds each stage's process; `longest_batch_seconds` is their longest Timeout."""

    endpoint: str
    api: ApiServer
    api_key: str
    consumers: Mapping[str, Process]
    longest_batch_seconds: int
    clients: Clients
    places: Places

    def peak_memory(self) -> dict[str, int]:
        processes = {"API": self.api.process, **self.consumers}
        peaks = {name: peak_memory(process.pid) for name, process in processes.items()}
        return {name: peak for name, peak in peaks.items() if peak is not None}


def start_pipeline(supervisor: Supervisor, folder: RunFolder, template: Template, inbox: Inbox) -> Pipeline:
    """Raises RunError with what is wrong; what was started by then is the supervisor's to stop."""
    physical = physical_names(template)
    functions = functions_of(template, physical)
    machine = machine_environment(os.environ, folder.temporary)
    variables = {name: value for function in functions for name, value in function.environment.items()}
    places = _places(variables)
    engine = start_engine(supervisor, folder, machine)
    clients = engine_clients(engine.endpoint)
    create_resources(template, physical, clients)

    api_key = create_key(clients.dynamodb, variables)
    aws = aws_environment(engine.endpoint)
    write_environment(folder.environment, {**aws, **variables, API_KEY: api_key})
    api = start_api(supervisor, folder, {**machine, **aws, **http_function(functions).environment})
    fed = stream_functions(functions)
    consumers = {
        stage_of(function): start_consumer(supervisor, folder, function, {**machine, **aws}) for function in fed
    }
    for stage, process in consumers.items():
        listen(process, from_consumer(stage), inbox)
    longest = max((function.timeout_seconds for function in fed), default=0)
    return Pipeline(engine.endpoint, api, api_key, consumers, longest, clients, places)


def _places(variables: Mapping[str, str]) -> Places:
    try:
        return Places(variables["RAW_BUCKET"], variables["INVOICES_TABLE"], variables["CUSTOMERS_TABLE"])
    except KeyError as missing:
        raise RunError(f"no function of the template has the environment variable {missing.args[0]}") from missing
