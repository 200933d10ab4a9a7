"""The API's dev server: the FastAPI app under uvicorn, in a process of its own."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from local_runtime.folder import RunFolder
from local_runtime.processes.ports import LOOPBACK, free_port
from local_runtime.processes.process import Command, Process
from local_runtime.processes.supervisor import Supervisor
from local_runtime.processes.waiting import answers, wait_until_healthy
from local_runtime.services.json_log import UVICORN_CONFIG

PREFERRED_PORT = 8000
_APP = "pipeline_api.main:app"


@dataclass(frozen=True)
class ApiServer:
    url: str
    process: Process
    port_was_taken: bool


def start_api(supervisor: Supervisor, folder: RunFolder, environment: Mapping[str, str]) -> ApiServer:
    """Start it and wait until `/healthz` answers."""
    port = free_port(PREFERRED_PORT)
    url = f"http://{LOOPBACK}:{port}"
    log_config = folder.temporary / "uvicorn.json"
    log_config.write_text(json.dumps(UVICORN_CONFIG))
    served = (_APP, "--host", LOOPBACK, "--port", str(port), "--timeout-graceful-shutdown", "10")
    logged = ("--no-access-log", "--log-config", str(log_config))  # a path names a customer
    command = Command("the API", "uvicorn", folder.logs / "api.log", environment, (*served, *logged))
    process = supervisor.start(command)
    wait_until_healthy(process, f"{url}/healthz", is_healthy=answers)
    return ApiServer(url, process, port_was_taken=port != PREFERRED_PORT)
