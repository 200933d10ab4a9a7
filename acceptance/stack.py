"""The built template as a CloudFormation stack, deployed by the SAM command line itself."""

import json
import subprocess
from dataclasses import dataclass

import httpx

from acceptance.api_keys import new_api_key
from acceptance.artifacts import Build
from acceptance.emulator import REGION, Emulator
from acceptance.machine import PROJECT

NAME = "proof"


@dataclass(frozen=True)
class Stack:
    account: Emulator
    outputs: dict[str, str]
    resources: dict[str, str]
    api_key: str

    def http(self) -> httpx.Client:
        """The deployed API at its own address below the emulator's, asked with a key."""
        client = self.account.http(f"/_aws/execute-api/{self.resources['HttpApi']}/$default")
        client.headers["X-Api-Key"] = self.api_key
        return client


def deployed(account: Emulator, build: Build) -> Stack:
    """As `make deploy` does it, but for the questions, and small: the emulator refuses AWS::Kinesis::StreamConsumer."""
    command = [
        *(str(PROJECT / ".venv-sam" / "bin" / "sam"), "deploy", "--stack-name", NAME, "--region", REGION),
        *("--template-file", str(build.template), "--resolve-s3", "--capabilities", "CAPABILITY_IAM"),
        *("--no-confirm-changeset", "--no-progressbar", "--parameter-overrides"),
        *(f"Architecture={build.architecture}", "AlarmEmail=somebody@example.com", "Size=small"),
    ]
    finished = subprocess.run(
        command, cwd=build.folder, env=account.environment(), check=False, capture_output=True, text=True
    )
    assert finished.returncode == 0, finished.stdout[-3000:] + finished.stderr[-3000:]
    return _described(account)


def _described(account: Emulator) -> Stack:
    formation = account.client("cloudformation")
    outputs = formation.describe_stacks(StackName=NAME)["Stacks"][0]["Outputs"]
    resources = formation.describe_stack_resources(StackName=NAME)["StackResources"]
    ids = {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources}
    return Stack(
        account,
        {output["OutputKey"]: output["OutputValue"] for output in outputs},
        ids,
        new_api_key(account.client("dynamodb"), ids["KeysTable"]),
    )


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
