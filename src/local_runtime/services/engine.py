"""The data plane: ministack plays Kinesis, S3 and DynamoDB in memory. Lambda and its mappings we play ourselves.

Its own event source mapping ignores partial failures, so it is never given one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from local_runtime.folder import RunFolder
from local_runtime.processes.ports import LOOPBACK, free_port
from local_runtime.processes.process import Command
from local_runtime.processes.supervisor import Supervisor
from local_runtime.processes.waiting import answers, wait_until_healthy

_PREFERRED_PORT = 4566
_HEALTH = "/_ministack/health"


@dataclass(frozen=True)
class Engine:
    endpoint: str


def start_engine(supervisor: Supervisor, folder: RunFolder, machine: Mapping[str, str]) -> Engine:
    """Start it empty and wait until it answers."""
    port = free_port(_PREFERRED_PORT)
    endpoint = f"http://{LOOPBACK}:{port}"
    command = Command("the engine", "ministack", folder.logs / "engine.log", engine_environment(machine, folder, port))
    process = supervisor.start(command)
    wait_until_healthy(process, endpoint + _HEALTH, is_healthy=answers)
    return Engine(endpoint)


def engine_environment(machine: Mapping[str, str], folder: RunFolder, port: int) -> dict[str, str]:
    """Loopback only, three services only, nothing kept, and no look at the user's Docker or AWS settings.

    Left to itself it would listen on all interfaces, open a second port for IoT, and remove containers that it
    takes for its own.
    """
    temporary = folder.temporary.resolve()
    return {
        **machine,
        "BIND_HOST": LOOPBACK,
        "GATEWAY_PORT": str(port),
        "SERVICES": "kinesis,s3,dynamodb",
        "LOG_LEVEL": "WARNING",
        "STATE_DIR": str(temporary / "state"),
        "S3_DATA_DIR": str(temporary / "s3"),
        "PERSIST_STATE": "0",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "HOME": str(temporary),
        "DOCKER_HOST": f"unix://{temporary}/no-docker.sock",
    }
