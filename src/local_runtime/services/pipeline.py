"""The whole pipeline on this machine: engine, resources, API and consumers, each after what it needs."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from local_runtime.errors import RunError
from local_runtime.folder import RunFolder
from local_runtime.processes.environment import aws_environment, machine_environment, write_environment
from local_runtime.processes.memory import peak_memory
from local_runtime.processes.process import Process
from local_runtime.processes.supervisor import Supervisor
from local_runtime.report.stored import Places
from local_runtime.services.api_server import ApiServer, start_api
from local_runtime.services.consumers import stage_of, start_consumer
from local_runtime.services.engine import start_engine
from local_runtime.services.keys import API_KEY, create_key
from local_runtime.stack.clients import Clients, engine_clients
from local_runtime.stack.functions import functions_of, http_function, stream_functions
from local_runtime.stack.physical import physical_names
from local_runtime.stack.resources import create_resources
from local_runtime.stack.template import Template
from local_runtime.upload.messages import Inbox, from_consumer, listen


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
