"""The engine: ministack, which emulates Kinesis, S3, DynamoDB and SQS; only this machine reaches its port.

Its stores are in memory, and with a DataFolder also on disk.

ministack's own Lambda and event source mappings are not used: they ignore partial failures.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local_runtime.environment import machine_environment
from local_runtime.folder import DataFolder, RunFolder, lock_folder
from local_runtime.processes import (
    LOOPBACK,
    Command,
    Process,
    Supervisor,
    bind_loopback,
    is_responding,
    supervise,
    wait_until_healthy,
)

ENGINE_PORT = 4566
"""The usual port of AWS emulators, used if it is free."""

ENGINE = "the engine"
_SAVE_SECONDS = 120.0  # the tables of 500,000 rows take some seconds
_HEALTH = "/_ministack/health"
_SERVER = (
    *("local_runtime.ministack_app:app", "--config", "python:ministack.core.hypercorn_conf"),
    *("--workers", "0"),  # serve in this process and start no other
    *("--worker-class", "uvloop"),  # less CPU for a request than asyncio's own loop
    *("--keep-alive", "75"),  # seconds; after the default of 5, boto3 would meet closed connections
    *("--log-level", "WARNING"),
)
_NO_SETTINGS: Mapping[str, str] = {}


@dataclass(frozen=True)
class Engine:
    endpoint: str
    port: int
    process: Process


@dataclass(frozen=True)
class Certificate:
    """The files of a TLS certificate for `localhost` and 127.0.0.1, and of its key."""

    certificate: Path
    key: Path


def start_engine(  # noqa: PLR0913 - a run, a test and a restart differ in these
    supervisor: Supervisor,
    folder: RunFolder,
    machine: Mapping[str, str],
    *,
    port: int = ENGINE_PORT,
    settings: Mapping[str, str] = _NO_SETTINGS,
    certificate: Certificate | None = None,
    data: DataFolder | None = None,
) -> Engine:
    """Start an engine and wait until it responds. `settings` are environment variables of ministack.

    It is empty, or has the stores in `data`, where it saves them when it is stopped.

    Any number of engines may start at once. The port is bound before the process starts, and the process inherits the
    socket: nobody else can take the port, and a response on it comes from this engine. If `port` is in use, the system
    chooses another one. Raises RunError.
    """
    with bind_loopback(port) as listener:
        port = listener.getsockname()[1]
        command = Command(
            name=ENGINE,
            module="hypercorn",
            log=folder.logs / "engine.log",
            environment={
                **engine_environment(machine, folder, port),
                **_tls_settings(certificate),
                **(data.engine_settings if data else {}),
                **settings,
            },
            arguments=(*_SERVER, "--bind", f"fd://{listener.fileno()}"),
            stop_seconds=_SAVE_SECONDS if data else Command.stop_seconds,
        )
        process = supervisor.start(command, listener)
    endpoint = f"{'https' if certificate else 'http'}://{LOOPBACK}:{port}"
    trusted = certificate.certificate if certificate else None
    wait_until_healthy(process, endpoint + _HEALTH, is_healthy=lambda url: is_responding(url, trusted))
    if data:
        data.note_engine_started()
    return Engine(endpoint, port, process)


@contextmanager
def temporary_engine() -> Iterator[Engine]:
    """An engine with a folder of its own. It runs only inside the block."""
    with tempfile.TemporaryDirectory() as root, lock_folder(Path(root)) as folder, supervise() as supervisor:
        yield start_engine(supervisor, folder, machine_environment(os.environ, folder.temporary))


def engine_environment(machine: Mapping[str, str], folder: RunFolder, port: int) -> dict[str, str]:
    """Four services, nothing persistent, and no access to the user's Docker or AWS settings.

    By default ministack opens a second port for IoT and removes containers that it takes for its own.
    """
    temporary = folder.temporary.resolve()
    return {
        **machine,
        "GATEWAY_PORT": str(port),
        "SERVICES": "kinesis,s3,dynamodb,sqs",
        "LOG_LEVEL": "WARNING",
        "STATE_DIR": str(temporary / "state"),
        "S3_DATA_DIR": str(temporary / "s3"),
        "PERSIST_STATE": "0",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "HOME": str(temporary),
        "DOCKER_HOST": f"unix://{temporary}/no-docker.sock",
    }


def _tls_settings(certificate: Certificate | None) -> dict[str, str]:
    if certificate is None:
        return {}
    return {
        "USE_SSL": "1",
        "MINISTACK_SSL_CERT": str(certificate.certificate),
        "MINISTACK_SSL_KEY": str(certificate.key),
        "AWS_CA_BUNDLE": str(certificate.certificate),
        "SSL_CERT_FILE": str(certificate.certificate),  # the same for deltalake, in a function that the engine runs
    }
