"""Each role grants exactly the calls that its function's code was seen to make: none is missing, none too many."""

import json
import os
import subprocess
import sys

import grimp
import pytest

from acceptance.machine import PROJECT
from tests.transformed import Transformed, listed, transformed

Grant = tuple[str, str]
"""An action, and a logical id of the template; of a bucket with the folder."""

RECORDED = ["tests/consumers", "tests/pipeline_api", "tests/aws"]
ROLES = {"ApiFunction": "ApiRole", "ToS3Function": "ToS3Role", "ToDynamodbFunction": "ToDynamodbRole"}
STAGES = {"to_s3": "ToS3Function", "to_dynamodb": "ToDynamodbFunction"}
NAMES_IN_TESTS = {"rows": "Stream", "invoices": "InvoicesTable", "customers": "CustomersTable", "keys": "KeysTable"}


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str, str]]:
    """Module, action and resource of every call that our code makes in its own tests."""
    written = tmp_path_factory.mktemp("calls") / "calls.json"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "acceptance.call_recorder", *RECORDED]
    environment = {**os.environ, "AWS_CALLS_FILE": str(written)}
    finished = subprocess.run(command, cwd=PROJECT, env=environment, check=False, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stdout[-3000:]
    return [(module, action, resource) for module, action, resource in json.loads(written.read_text())]


@pytest.fixture(scope="module")
def stack() -> Transformed:
    return transformed()


def modules_of(stack: Transformed, function: str) -> set[str]:
    """Everything that the function's handler imports, however far down."""
    handler: str = stack["Resources"][function]["Properties"]["Handler"]
    entry = handler.rpartition(".")[0]
    graph = grimp.build_graph("invoices", "aws", "pipeline_api", "consumers")
    return {entry, *graph.find_upstream_modules(entry)}


def made(calls: list[tuple[str, str, str]], modules: set[str], function: str) -> set[Grant]:
    """The calls of these modules, but for those that they make for another function's stage."""
    grants = {(action, placed(resource)) for module, action, resource in calls if module in modules}
    others = {f"RawBucket/failed/{stage}" for stage, owner in STAGES.items() if owner != function}
    return {grant for grant in grants if grant[1] not in others}


def placed(resource: str) -> str:
    """`raw-bucket/failed/to_s3/dt=…` is RawBucket/failed/to_s3; a raw object is RawBucket/raw."""
    bucket, *folders = resource.split("/")
    if not folders:
        return NAMES_IN_TESTS[bucket]
    return "/".join(["RawBucket", *folders[: 2 if folders[0] == "failed" else 1]])


def granted(stack: Transformed, role: str) -> set[Grant]:
    policies = stack["Resources"][role]["Properties"]["Policies"]
    (ours,) = [policy for policy in policies if policy["PolicyName"] == "what-the-code-calls"]
    return {
        (action, named(resource))
        for statement in ours["PolicyDocument"]["Statement"]
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }


def named(resource: dict[str, object]) -> str:
    """`!GetAtt Stream.Arn` is Stream, `!Sub ${RawBucket.Arn}/raw/*` is RawBucket/raw."""
    match resource:
        case {"Fn::GetAtt": [str(name), "Arn"]}:
            return name
        case {"Fn::Sub": str(text)}:
            return text.replace("${RawBucket.Arn}", "RawBucket").removesuffix("/*")
        case _:
            raise AssertionError(f"a resource of another form: {resource}")


@pytest.mark.parametrize(("function", "role"), ROLES.items())
def test_every_call_is_granted_and_every_grant_is_called(
    calls: list[tuple[str, str, str]], stack: Transformed, function: str, role: str
) -> None:
    """A call without a grant fails only on AWS; a grant without a call is a door left open."""
    expected = made(calls, modules_of(stack, function), function)
    print(f"\n{function}: " + ", ".join(sorted(f"{action} on {resource}" for action, resource in expected)))
    assert expected == granted(stack, role)
