"""ministack as an AWS account: every service, TLS, and IAM enforced on every call."""

import os
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx

from local_runtime.engine import Certificate, start_engine
from local_runtime.environment import machine_environment
from local_runtime.folder import lock_folder
from local_runtime.processes import supervise

REGION = "us-east-1"
_OPENSSL = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost")


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
def emulator(root: Path) -> Iterator[Emulator]:
    """TLS, because the bucket's policy refuses anything else, and the emulator enforces that, too."""
    settings = {"SERVICES": "", "AUTH": "true"}  # every service
    certificate = _new_certificate(root)
    with lock_folder(root) as folder, supervise() as supervisor:
        machine = machine_environment(os.environ, folder.temporary)
        engine = start_engine(supervisor, folder, machine, settings=settings, certificate=certificate)
        yield Emulator(engine.endpoint, certificate.certificate)


def _new_certificate(folder: Path) -> Certificate:
    new = Certificate(folder / "certificate.pem", folder / "key.pem")
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    names += ["-addext", "basicConstraints=critical,CA:FALSE"]  # deltalake accepts no authority's as a server's
    command = [*_OPENSSL, "-keyout", str(new.key), "-out", str(new.certificate), *names]
    subprocess.run(command, check=True, capture_output=True)
    return new
