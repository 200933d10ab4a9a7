"""ministack as an AWS account: every service, TLS, and IAM enforced on every call."""

import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx

from local_runtime.processes import free_port

REGION = "us-east-1"
_ANY_PORT_BUT = 4566  # where a run of the pipeline may be listening
_SLOWEST_START_SECONDS = 30
_CERTIFICATE = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost")


@dataclass(frozen=True)
class Emulator:
    url: str
    certificate: Path

    def client(self, service: str) -> Any:
        """As the account's owner, whom no policy limits."""
        session = boto3.Session("test", "test", region_name=REGION)
        return session.client(service, endpoint_url=self.url, verify=str(self.certificate))  # type: ignore[call-overload]

    def http(self, path: str) -> httpx.Client:
        context = ssl.create_default_context(cafile=self.certificate)
        return httpx.Client(base_url=self.url + path, verify=context, timeout=30)

    def environment(self) -> dict[str, str]:
        """For a command-line tool of AWS, which then sees this account and no other."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.certificate.parent),
            "AWS_ENDPOINT_URL": self.url,
            "AWS_CA_BUNDLE": str(self.certificate),
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "SAM_CLI_TELEMETRY": "0",
        }


@contextmanager
def emulator(folder: Path) -> Iterator[Emulator]:
    """TLS, because the bucket's policy refuses anything else, and the emulator enforces that, too."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run([*_CERTIFICATE, "-keyout", key, "-out", certificate, *names], check=True, capture_output=True)
    port = free_port(_ANY_PORT_BUT + 1000)
    running = Emulator(f"https://127.0.0.1:{port}", certificate)
    with (folder / "emulator.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ministack"],
            env=_environment(folder, port),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait_until_healthy(running)
            yield running
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # with the functions that it started; there is nothing to keep
            process.wait()


def _environment(folder: Path, port: int) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "AUTH": "true",
        "USE_SSL": "1",
        "MINISTACK_SSL_CERT": str(folder / "certificate.pem"),
        "MINISTACK_SSL_KEY": str(folder / "key.pem"),
        "AWS_CA_BUNDLE": str(folder / "certificate.pem"),
        "STATE_DIR": str(folder / "state"),
        "S3_DATA_DIR": str(folder / "s3"),
        "PERSIST_STATE": "0",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "DOCKER_HOST": f"unix://{folder}/no-docker.sock",
        "LOG_LEVEL": "WARNING",
    }


def _wait_until_healthy(running: Emulator) -> None:
    give_up = time.monotonic() + _SLOWEST_START_SECONDS
    with running.http("") as http:
        while time.monotonic() < give_up:
            try:
                if http.get("/_ministack/health").is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
    raise AssertionError("the emulator does not answer")
