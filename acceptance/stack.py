"""ministack as an AWS account, and the built template as a CloudFormation stack in it, deployed by SAM's command line.

The account has every service, speaks TLS, and enforces IAM on every call.
"""

import json
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

from acceptance.artifacts import PROJECT, Build
from local_runtime.engine import Certificate, start_engine
from local_runtime.environment import machine_environment
from local_runtime.folder import lock_folder
from local_runtime.pipeline import HEADER, create_key
from local_runtime.processes import supervise

_NAME = "proof"
_REGION = "us-east-1"
_OPENSSL = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost")


@dataclass(frozen=True)
class Account:
    url: str
    certificate: Path

    def client(self, service: str) -> Any:
        """As the account's owner, whom no policy limits."""
        session = boto3.Session("test", "test", region_name=_REGION)
        return session.client(service, endpoint_url=self.url, verify=str(self.certificate))  # type: ignore[call-overload]

    def environment(self) -> dict[str, str]:
        """For a command-line tool of AWS, which then sees this account and no other."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.certificate.parent),
            "AWS_ENDPOINT_URL": self.url,
            "AWS_CA_BUNDLE": str(self.certificate),
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": _REGION,
            "SAM_CLI_TELEMETRY": "0",
        }


@dataclass(frozen=True)
class Stack:
    """`resources` are the physical names of the template's."""

    account: Account
    outputs: dict[str, str]
    resources: dict[str, str]
    api_key: str

    def http(self) -> httpx.Client:
        """The deployed API at its own address below the emulator's, asked with a key."""
        url = f"{self.account.url}/_aws/execute-api/{self.resources['HttpApi']}/$default"
        context = ssl.create_default_context(cafile=self.account.certificate)
        return httpx.Client(base_url=url, verify=context, timeout=30, headers={HEADER: self.api_key})


@contextmanager
def emulated_account(root: Path) -> Iterator[Account]:
    """TLS, because the bucket's policy refuses anything else, and the emulator enforces that, too."""
    certificate = _new_certificate(root)
    with lock_folder(root) as folder, supervise() as supervisor:
        machine = machine_environment(os.environ, folder.temporary)
        settings = {"SERVICES": "", "AUTH": "true"}  # every service
        engine = start_engine(supervisor, folder, machine, settings=settings, certificate=certificate)
        yield Account(engine.endpoint, certificate.certificate)


def _new_certificate(folder: Path) -> Certificate:
    new = Certificate(folder / "certificate.pem", folder / "key.pem")
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    names += ["-addext", "basicConstraints=critical,CA:FALSE"]  # deltalake accepts no authority's as a server's
    command = [*_OPENSSL, "-keyout", str(new.key), "-out", str(new.certificate), *names]
    subprocess.run(command, check=True, capture_output=True)
    return new


def deploy(account: Account, build: Build) -> Stack:
    """As `make deploy` does it, but for the questions, and small: the emulator refuses AWS::Kinesis::StreamConsumer."""
    command = [
        *(str(PROJECT / ".venv-sam" / "bin" / "sam"), "deploy", "--stack-name", _NAME, "--region", _REGION),
        *("--template-file", str(build.template), "--resolve-s3", "--capabilities", "CAPABILITY_IAM"),
        *("--no-confirm-changeset", "--no-progressbar", "--parameter-overrides"),
        *(f"Architecture={build.architecture}", "AlarmEmail=somebody@example.com", "Size=small"),
    ]
    finished = subprocess.run(
        command, cwd=build.folder, env=account.environment(), check=False, capture_output=True, text=True
    )
    assert finished.returncode == 0, finished.stdout[-3000:] + finished.stderr[-3000:]
    formation = account.client("cloudformation")
    outputs = formation.describe_stacks(StackName=_NAME)["Stacks"][0]["Outputs"]
    resources = formation.describe_stack_resources(StackName=_NAME)["StackResources"]
    names = {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources}
    api_key = create_key(account.client("dynamodb"), {"KEYS_TABLE": names["KeysTable"]})
    return Stack(account, {output["OutputKey"]: output["OutputValue"] for output in outputs}, names, api_key)


def give_the_api_its_route(stack: Stack) -> None:
    """The emulator reads no OpenAPI body, where SAM's transform writes the `$default` route and its integration."""
    gateway = stack.account.client("apigatewayv2")
    functions = stack.account.client("lambda")
    api = stack.resources["HttpApi"]
    assert gateway.get_routes(ApiId=api)["Items"] == [], "the emulator makes routes now: this can go"
    arn = functions.get_function(FunctionName=stack.resources["ApiFunction"])["Configuration"]["FunctionArn"]
    integration = gateway.create_integration(
        ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion="2.0"
    )
    gateway.create_route(ApiId=api, RouteKey="$default", Target=f"integrations/{integration['IntegrationId']}")


def let_the_lake_delete_in_batches(stack: Stack) -> None:
    """The emulator wants an action that AWS does not have: there sqs:DeleteMessage permits batches, too.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
    """
    statement = {"Effect": "Allow", "Action": "sqs:DeleteMessageBatch", "Resource": "*"}
    stack.account.client("iam").put_role_policy(
        RoleName=stack.resources["ToLakeRole"],
        PolicyName="what-the-emulator-wants",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
