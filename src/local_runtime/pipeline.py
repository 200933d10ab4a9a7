"""The whole pipeline on this machine: engine, resources, API and consumers, each started after what it needs."""

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from aws.api_keys import KeyTable, Scope, parse_key_id
from aws.bucket import TO_DYNAMODB
from local_runtime.comparison import StoreNames, store_names
from local_runtime.engine import Engine, start_engine
from local_runtime.environment import aws_environment, machine_environment, write_environment, write_private
from local_runtime.errors import RunError
from local_runtime.folder import DataFolder, RunFolder
from local_runtime.json_log import UVICORN_CONFIG
from local_runtime.messages import Inbox, consumer_line_parser, start_listener
from local_runtime.processes import (
    LOOPBACK,
    Command,
    Process,
    Supervisor,
    bind_loopback,
    peak_memory,
    wait_until_healthy,
)
from local_runtime.stack.functions import Function, http_function, read_functions, stream_functions
from local_runtime.stack.resources import Clients, create_resources, engine_clients
from local_runtime.stack.template import Template, physical_names
from pipeline_ops.api_keys import KeyRing

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

API_PORT = 8000
"""Used if it is free."""

API_KEY = "INVOICE_API_KEY"
"""The environment variable in which the client looks for its key."""

API_URL = "INVOICE_API_URL"
"""The one in which it looks for the API's address."""

HEADER = "X-Api-Key"
_APP = "pipeline_api.main:app"
_LAKE_HANDLER = "consumers.to_lake.handler"


@dataclass(frozen=True)
class ApiServer:
    url: str
    port: int
    process: Process


@dataclass(frozen=True)
class Pipeline:
    """A running pipeline. `consumers` are the processes by stage; `longest_batch_seconds` is their longest Timeout.

    `refresh` brings into the lake what was archived; None where the template has no lake. `rebuild` makes tables and
    lake from the archive.
    """

    engine: Engine
    api: ApiServer
    api_key: str
    consumers: Mapping[str, Process]
    longest_batch_seconds: int
    clients: Clients
    stores: StoreNames
    refresh: Command | None
    rebuild: Sequence[Command]

    def peak_memory(self) -> dict[str, int]:
        processes = {"API": self.api.process, **self.consumers}
        peaks = {name: peak_memory(process.pid) for name, process in processes.items()}
        return {name: peak for name, peak in peaks.items() if peak is not None}


def start_pipeline(
    supervisor: Supervisor, folder: RunFolder, template: Template, inbox: Inbox, data: DataFolder | None = None
) -> Pipeline:
    """Start everything and return when it is ready. Raises RunError; the supervisor stops what was started.

    The stores are new, or those in `data`.
    """
    physical = physical_names(template)
    functions = read_functions(template, physical)
    machine = machine_environment(os.environ, folder.temporary)
    variables = {name: value for function in functions for name, value in function.environment.items()}
    stores = store_names(variables)
    engine = start_engine(supervisor, folder, machine, data=data)
    clients = engine_clients(engine.endpoint)
    if data and data.needs_rebuild:
        _forget_rows(data, clients.dynamodb, stores)
    create_resources(template, physical, clients)

    api_key = (data and _kept_key(data, clients.dynamodb, variables)) or create_key(clients.dynamodb, variables)
    if data:
        write_private(data.api_key, api_key)
    aws = aws_environment(engine.endpoint)
    api = start_api(supervisor, folder, {**machine, **aws, **http_function(functions).environment})
    write_environment(folder.environment, {**aws, **variables, API_KEY: api_key, API_URL: api.url})
    fed = stream_functions(functions)
    consumers = {
        function.stage: supervisor.start(
            consumer_command(function, folder, {**machine, **aws}, data.checkpoints(function.stage) if data else None)
        )
        for function in fed
    }
    for stage, process in consumers.items():
        start_listener(process.command.name, process.stdout_lines(), consumer_line_parser(stage), inbox)
    longest = max((function.timeout_seconds for function in fed), default=0)
    refresh = refresh_command(functions, folder, {**machine, **aws})
    rebuild = rebuild_commands(folder, {**machine, **aws, **variables})
    return Pipeline(engine, api, api_key, consumers, longest, clients, stores, refresh, rebuild)


def _forget_rows(data: DataFolder, dynamodb: "DynamoDBClient", stores: StoreNames) -> None:
    """The saved tables are old: rows that were erased since then are in them. to_dynamodb reads the whole stream again.

    What it reads, and what the archive has, makes the tables anew.
    """
    for table in (stores.invoices_table, stores.customers_table):
        with suppress(dynamodb.exceptions.ResourceNotFoundException):
            dynamodb.delete_table(TableName=table)
    data.checkpoints(TO_DYNAMODB).unlink(missing_ok=True)


def create_key(dynamodb: "DynamoDBClient", variables: Mapping[str, str]) -> str:
    """A new API key with every scope. Its hash goes into the table that the functions' variables name."""
    if "KEYS_TABLE" not in variables:
        raise RunError("no function of the template has the environment variable KEYS_TABLE")
    ring = KeyRing(dynamodb, variables["KEYS_TABLE"], lambda: datetime.now(UTC), secrets.token_bytes)
    return ring.create("make run", Scope)


def _kept_key(data: DataFolder, dynamodb: "DynamoDBClient", variables: Mapping[str, str]) -> str | None:
    """The key of the last run on these stores, if the table of keys still has it."""
    text = data.api_key.read_text() if data.api_key.exists() else ""
    key_id = parse_key_id(text)
    found = KeyTable(dynamodb, variables["KEYS_TABLE"]).find(key_id) if key_id else None
    return text if found and found.revoked_at is None else None


def start_api(supervisor: Supervisor, folder: RunFolder, environment: Mapping[str, str]) -> ApiServer:
    """The FastAPI app under uvicorn. Returns when `/healthz` responds."""
    log_config = folder.temporary / "uvicorn.json"
    log_config.write_text(json.dumps(UVICORN_CONFIG))
    logging = ("--no-access-log", "--ws", "none", "--log-config", str(log_config))  # a path may contain a customer's id
    with bind_loopback(API_PORT) as listener:
        port = listener.getsockname()[1]
        serving = (_APP, "--fd", str(listener.fileno()), "--timeout-graceful-shutdown", "10")
        command = Command("the API", "uvicorn", folder.logs / "api.log", environment, (*serving, *logging))
        process = supervisor.start(command, listener)
    url = f"http://{LOOPBACK}:{port}"
    wait_until_healthy(process, f"{url}/healthz")
    return ApiServer(url, port, process)


def refresh_command(functions: list[Function], folder: RunFolder, environment: Mapping[str, str]) -> Command | None:
    """A process that calls the handler of the lake's refresh once, as its schedule would."""
    event = folder.temporary / "schedule.json"
    event.write_text("{}")
    for function in functions:
        if function.handler == _LAKE_HANDLER:
            arguments = ("invoke", function.handler, str(event))
            log = folder.logs / "to_lake.log"
            variables = {**environment, **function.environment}
            return Command("the lake's refresh", "local_runtime", log, variables, arguments, may_end=True)
    return None


def rebuild_commands(folder: RunFolder, environment: Mapping[str, str]) -> list[Command]:
    """The operator's commands that make the tables and the lake from the archive."""
    progress = str(folder.temporary / "replay.json")
    commands: dict[str, Sequence[str]] = {"the replay of the archive": ("replay", "--progress", progress)}
    if "LAKE_BUCKET" in environment:
        commands["the lake's rebuild"] = ("lake", "rebuild")
    log = folder.logs / "rebuild.log"
    return [
        Command(name, "pipeline_ops", log, environment, arguments, may_end=True) for name, arguments in commands.items()
    ]


def consumer_command(
    function: Function, folder: RunFolder, environment: Mapping[str, str], checkpoint_file: Path | None = None
) -> Command:
    """A process that polls the function's stream and calls its handler as Lambda would.

    It gets the template's variables for this function only. With `checkpoint_file` it continues where an earlier
    process has stopped.
    """
    return Command(
        name=f"the consumer {function.stage}",
        module="local_runtime.function_process",
        log=folder.logs / f"{function.stage}.log",
        environment={**environment, **function.environment},
        arguments=(
            *("--handler", function.handler),
            *("--stream", function.stream),
            *("--mapping", json.dumps(function.mapping)),
            *("--timeout", str(function.timeout_seconds)),
            *(("--checkpoint-file", str(checkpoint_file)) if checkpoint_file else ()),
        ),
        pipes_stdout=True,
    )
