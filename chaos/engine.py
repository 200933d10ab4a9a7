"""The data planes that a seed can run on, each in processes of its own on loopback."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import httpx

from local_runtime.environment import aws_environment, machine_environment
from local_runtime.folder import RunFolder
from local_runtime.processes import LOOPBACK
from local_runtime.services import engine_environment

_SECOND_ENGINE = Path(__file__).parent / "second_engine"
_POLLS = 600
_POLL_SECONDS = 0.05
_STOP_SECONDS = 15


class EngineName(StrEnum):
    """`ministack` for everything, or `npm`: kinesalite for Kinesis, dynalite for DynamoDB, ministack for S3 only."""

    MINISTACK = "ministack"
    NPM = "npm"


class EngineMissing(Exception):
    """The second engine is not installed, or a server does not start."""


@dataclass(frozen=True, slots=True)
class Engine:
    """`environment` holds boto3's own variables: with them in its environment, a process takes this for AWS."""

    name: EngineName
    environment: Mapping[str, str]


@contextmanager
def running_engine(name: EngineName) -> Iterator[Engine]:
    """Up inside the block, gone after it. Raises EngineMissing."""
    with _ministack() as endpoint:
        environment = aws_environment(endpoint)
        if name is EngineName.MINISTACK:
            yield Engine(name, environment)
            return
        with _server("kinesalite") as kinesis, _server("dynalite") as dynamodb:
            own = {"AWS_ENDPOINT_URL_KINESIS": kinesis, "AWS_ENDPOINT_URL_DYNAMODB": dynamodb}
            yield Engine(name, {**environment, **own})


@contextmanager
def _ministack() -> Iterator[str]:
    port = _free_port()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "tmp").mkdir()
        environment = engine_environment(machine_environment(os.environ, root / "tmp"), RunFolder(root), port)
        endpoint = f"http://{LOOPBACK}:{port}"
        with _process([sys.executable, "-m", "ministack"], environment) as process:
            _wait_until_up(process, endpoint + "/_ministack/health")
            yield endpoint


@contextmanager
def _server(package: str) -> Iterator[str]:
    if not (_SECOND_ENGINE / "node_modules" / package).is_dir():
        raise EngineMissing(f"{package} is not installed; `make chaos ENGINE=npm` does it (it needs Node and npm)")
    port = _free_port()
    endpoint = f"http://{LOOPBACK}:{port}"
    command = ["node", str(_SECOND_ENGINE / "serve.cjs"), package, str(port)]
    with _process(command, os.environ) as process:
        _wait_until_up(process, endpoint)
        yield endpoint


@contextmanager
def _process(command: Sequence[str], environment: Mapping[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, env=dict(environment), stdin=quiet, stdout=quiet, stderr=quiet)  # noqa: S603
    try:
        yield process
    finally:
        process.terminate()
        process.wait(_STOP_SECONDS)


def _wait_until_up(process: "subprocess.Popen[bytes]", url: str) -> None:
    """Any answer will do."""
    with httpx.Client(trust_env=False) as client:
        for _ in range(_POLLS):
            if process.poll() is not None:
                break
            try:
                client.get(url)
            except httpx.TransportError:
                time.sleep(_POLL_SECONDS)
            else:
                return
    raise EngineMissing(f"the server of {url} does not start")


def _free_port() -> int:
    """The system's choice: two runs at once hardly ever get the same one."""
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        port: int = listener.getsockname()[1]
        return port
