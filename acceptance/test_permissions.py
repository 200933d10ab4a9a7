"""Each role grants exactly the calls that its function's code was seen to make: none is missing, none too many."""

import json
import os
import re
import subprocess
import sys
from typing import Any

import grimp
import pytest

from acceptance.conftest import DataPlane
from acceptance.machine import PROJECT
from acceptance.wire_recorder import wire_recorder
from invoices.batch import pack
from tests.invoice_rows import ndjson, row
from tests.transformed import Transformed, listed, transformed, with_everything

Grant = tuple[str, str]
"""An action, and a logical id of the template; of a bucket with the folder."""

RECORDED = ["tests/consumers", "--ignore=tests/consumers/lake", "tests/pipeline_api", "tests/aws"]
ROLES = {"ApiFunction": "ApiRole", "ToS3Function": "ToS3Role", "ToDynamodbFunction": "ToDynamodbRole"}
STAGES = {"to_s3": "ToS3Function", "to_dynamodb": "ToDynamodbFunction"}
NAMES_IN_TESTS = {
    "rows": "Stream",
    "invoices": "InvoicesTable",
    "customers": "CustomersTable",
    "batches": "BatchesTable",
    "keys": "KeysTable",
}


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
    """`raw-bucket/failed/to_s3/dt=…` is RawBucket/failed/to_s3; a raw object is RawBucket/raw; an index stays."""
    bucket, *folders = resource.split("/")
    if bucket in NAMES_IN_TESTS:
        return "/".join([NAMES_IN_TESTS[bucket], *folders])
    if bucket == "lake":
        return f"LakeBucket/{folders[0]}"
    return "/".join(["RawBucket", *folders[: 2 if folders[0] == "failed" else 1]])


def granted(stack: Transformed, role: str) -> set[Grant]:
    policies = with_everything(stack["Resources"][role]["Properties"]["Policies"])
    (ours,) = [policy for policy in policies if policy["PolicyName"] == "what-the-code-calls"]
    return {
        (action, named(resource) + listed_folder(statement))
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
            return re.sub(r"\$\{(\w+)\.Arn\}", r"\1", text).removesuffix("/*")
        case _:
            raise AssertionError(f"a resource of another form: {resource}")


def listed_folder(statement: dict[str, Any]) -> str:
    """A list is granted for the whole bucket, on condition that it asks for one folder."""
    prefix: str = statement.get("Condition", {}).get("StringLike", {}).get("s3:prefix", "")
    return f"/{prefix.removesuffix('/*')}" if prefix else ""


@pytest.mark.parametrize(("function", "role"), ROLES.items())
def test_every_call_is_granted_and_every_grant_is_called(
    calls: list[tuple[str, str, str]], stack: Transformed, function: str, role: str
) -> None:
    """A call without a grant fails only on AWS; a grant without a call is a door left open."""
    expected = made(calls, modules_of(stack, function), function)
    print(f"\n{function}: " + ", ".join(sorted(f"{action} on {resource}" for action, resource in expected)))
    assert expected == granted(stack, role)


REFRESH = "from local_runtime.handlers import invoke; print(invoke('consumers.to_lake.handler', {}))"
VACUUM = """
from datetime import timedelta
import consumers.lake.table as table
table.GRACE = timedelta()  # the emulator's objects are all of today
from local_runtime.handlers import invoke
print(invoke('consumers.to_lake.vacuum_handler', {}))
"""
COMMITS = 11  # a checkpoint is written after ten


@pytest.fixture(scope="module")
def lake_calls(data_plane: DataPlane) -> dict[str, set[Grant]]:
    """What the two functions of the lake call while rows come in, and while old files are deleted."""
    buckets = data_plane.functions["ToLakeFunction"].environment
    names = {buckets["RAW_BUCKET"]: "RawBucket", buckets["LAKE_BUCKET"]: "LakeBucket", "local-LakeQueue": "LakeQueue"}

    def put(key: str, body: bytes) -> None:
        data_plane.clients.s3.put_object(Bucket=buckets["RAW_BUCKET"], Key=key, Body=body)

    def calls_of(function: str, program: str) -> set[Grant]:
        with wire_recorder(data_plane.surroundings["AWS_ENDPOINT_URL"]) as wire:
            environment = {**data_plane.environment(function), "AWS_ENDPOINT_URL": wire.url}
            command = [sys.executable, "-c", program]
            finished = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
            assert finished.returncode == 0, finished.stderr[-3000:]
            return {(action, _placed_in(resource, names)) for action, resource in wire.calls}

    redriven = {"batch_id": "b", "rows": [{"number": 0, "text": json.dumps(row(Occurrence=1))}]}
    put("failed-redriven/to_dynamodb/dt=1970-01-01/hour=00/b.json", json.dumps(redriven).encode())
    refreshed: set[Grant] = set()
    for number in range(COMMITS):
        put(f"raw/dt=1970-01-01/hour=00/{number}.ndjson.gz", pack(ndjson([row(StockCode=str(number), Occurrence=1)])))
        refreshed |= calls_of("ToLakeFunction", REFRESH)
    return {"ToLakeRole": refreshed, "VacuumLakeRole": calls_of("VacuumLakeFunction", VACUUM)}


def _placed_in(resource: str, names: dict[str, str]) -> str:
    """`local-lakebucket/lines/_delta_log/…` is LakeBucket/lines."""
    store, *folders = resource.split("/")
    return "/".join([names[store], *folders[:1]])


@pytest.mark.parametrize("role", ["ToLakeRole", "VacuumLakeRole"])
def test_every_call_of_the_lake_is_granted_and_every_grant_is_called(
    lake_calls: dict[str, set[Grant]], stack: Transformed, role: str
) -> None:
    """Recorded on the wire: deltalake makes its own calls to S3."""
    print(f"\n{role}: " + ", ".join(sorted(f"{action} on {resource}" for action, resource in lake_calls[role])))
    assert lake_calls[role] == granted(stack, role)
