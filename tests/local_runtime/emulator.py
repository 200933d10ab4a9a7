"""A ministack of its own for one test, on a free port of loopback."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

_CONNECT_RETRIES = 7  # pauses double from half a second: far longer than a start takes


def environment(port: int) -> dict[str, str]:
    """What a process needs to take the emulator for AWS."""
    return os.environ | {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def emulator() -> Iterator[dict[str, str]]:
    """The environment in which AWS is the emulator; it is up inside the block and gone after it."""
    port = free_port()
    own = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "LOG_LEVEL": "ERROR"}
    env = environment(port)
    command = [sys.executable, "-m", "ministack"]
    process = subprocess.Popen(command, env=env | own, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_until_up(env)
        yield env
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait_until_up(env: dict[str, str]) -> None:
    with httpx.Client(transport=httpx.HTTPTransport(retries=_CONNECT_RETRIES)) as client:
        client.get(env["AWS_ENDPOINT_URL"] + "/_ministack/health").raise_for_status()
