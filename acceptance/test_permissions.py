"""Each role grants exactly the calls that its function's code was seen to make: none is missing, none too many."""

import json
import os
import re
import subprocess
import sys
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import grimp
import pytest

from acceptance.conftest import DataPlane
from acceptance.machine import PROJECT
from acceptance.wire_recorder import wire_recorder
from aws.bucket import Bucket
from aws.rejections import RejectionStore, new_rejection
from consumers.archive import Archive
from consumers.batch_loop import Record
from consumers.index import Index
from invoices.batch import pack
from invoices.errors import RowError
from tests.invoice_rows import ndjson, row
from tests.transformed import Transformed, listed, transformed, with_everything

Grant = tuple[str, str]
"""An action, and a logical id of the template; of a bucket with the folder."""

RECORDED = ["tests/consumers", "--ignore=tests/consumers/lake", "tests/pipeline_api", "tests/aws"]
ROLES = {"ApiFunction": "ApiRole", "ToS3Function": "ToS3Role", "ToDynamodbFunction": "ToDynamodbRole"}
OWNERS = {
    "RawBucket/failed/to_s3": {"ToS3Function"},
    "RawBucket/failed/to_dynamodb": {"ToDynamodbFunction"},
    "BatchesTable": {"ToDynamodbFunction", "ApiFunction"},
}
"""Whom the calls of the shared batch loop belong to."""

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
    return {grant for grant in grants if function in OWNERS.get(grant[1], {function})}


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
        (action, named(resource) + folder)
        for statement in ours["PolicyDocument"]["Statement"]
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
        for folder in listed_folders(statement)
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


def listed_folders(statement: dict[str, Any]) -> list[str]:
    """A list is granted for the whole bucket, on condition that it asks for one of some folders."""
    prefixes = listed(statement.get("Condition", {}).get("StringLike", {}).get("s3:prefix", ""))
    return [f"/{prefix.removesuffix('/*')}" if prefix else "" for prefix in prefixes]


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


ERASE = """
import pipeline_ops.erase.command as command
command.SETTLED_SECONDS = 0  # no consumer runs
from pipeline_ops.cli import main
main(["erase", "--customer", "17850"])
"""
UNREADABLE = b"no object of ours, and 17850 in it"


@pytest.fixture(scope="module")
def erase_calls(data_plane: DataPlane, lake_calls: dict[str, set[Grant]]) -> set[Grant]:
    """What an erasure calls where every store names the customer, in objects that it rewrites and that it deletes."""
    functions = ("ApiFunction", "ToDynamodbFunction", "ToLakeFunction")
    names = {
        variable: value for each in functions for variable, value in data_plane.functions[each].environment.items()
    }
    bucket = Bucket(data_plane.clients.s3, names["RAW_BUCKET"])
    record = pack(ndjson([row(Occurrence=1), row(Occurrence=1, CustomerID="13047")]))
    for other in (b"", record):
        Archive(bucket).add(Record("erased", "1", record + other))
    Index(data_plane.clients.dynamodb, names["INVOICES_TABLE"], names["CUSTOMERS_TABLE"]).add(Record("e", "1", record))
    for folder in ("failed/to_s3", "failed-redriven/to_s3", "aws/lambda", "rejected/dt=2026-01-01"):
        bucket.put(f"{folder}/strange", UNREADABLE, "text/plain")
    for stage in ("failed", "failed-redriven"):
        rows = [{"index": 0, "number": 0, "text": json.dumps(row(Occurrence=1, CustomerID=None))}]
        document = {
            "stage": "to_dynamodb",
            "batch_id": "e",
            "sequence_number": "1",
            "reason": "",
            "errors": [],
            "payload_base64": b64encode(record).decode(),
            "rows": rows,
        }
        bucket.put(f"{stage}/to_dynamodb/dt=1970-01-01/hour=00/e.json", json.dumps(document).encode(), "text/plain")
    event = {"Records": [{"kinesis": {"partitionKey": "e", "data": b64encode(record).decode()}}]}
    bucket.put("aws/lambda/batch", json.dumps({"payload": json.dumps(event)}).encode(), "text/plain")
    errors = [RowError(0, None, "")]
    RejectionStore(bucket).create(new_rejection("e", datetime.now(UTC), {0: ndjson([row()])}, errors))
    with wire_recorder(data_plane.surroundings["AWS_ENDPOINT_URL"]) as wire:
        environment = {**os.environ, **data_plane.environment("ToLakeFunction"), **names, "AWS_ENDPOINT_URL": wire.url}
        command = [sys.executable, "-c", ERASE]
        finished = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
        assert finished.returncode == 0, finished.stderr[-3000:]
        places = {names[variable]: place for variable, place in STORES.items()}
        return {(action, _placed_in(resource, places)) for action, resource in wire.calls}


STORES = {
    "RAW_BUCKET": "RawBucket",
    "LAKE_BUCKET": "LakeBucket",
    "INVOICES_TABLE": "InvoicesTable",
    "CUSTOMERS_TABLE": "CustomersTable",
    "STREAM_NAME": "Stream",
}


def test_every_call_of_an_erasure_is_granted_and_every_grant_is_called(
    erase_calls: set[Grant], stack: Transformed
) -> None:
    """Operators assume a role that can do this and no more."""
    assert erase_calls == granted(stack, "EraseRole")


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
