"""Each role grants exactly the calls that its function's code was seen to make: none is missing, none too many."""

import json
import os
import re
import subprocess
import sys
from base64 import b64encode
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import grimp
import pytest

from acceptance.artifacts import PROJECT
from acceptance.conftest import DataPlane
from acceptance.wire_recorder import wire_recorder
from aws.bucket import Bucket, DeadLetterDocument
from aws.rejections import RejectionStore, new_rejection
from consumers.archive import Archive
from consumers.batch_loop import Record
from consumers.index import Index
from invoices.batch import pack
from invoices.errors import RowError
from tests.consumers.events import delivered
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
    """A call without a grant fails only on AWS; a grant without a call is not needed."""
    expected = made(calls, modules_of(stack, function), function)
    print(f"\n{function}: " + ", ".join(sorted(f"{action} on {resource}" for action, resource in expected)))
    assert expected == granted(stack, role)


REFRESH = """
from local_runtime.handlers import invoke
print(invoke("consumers.to_lake.handler", {}))
"""
VACUUM = """
from datetime import timedelta
import consumers.lake.table as table
table.GRACE = timedelta()  # the emulator's objects are all of today
from local_runtime.handlers import invoke
print(invoke("consumers.to_lake.vacuum_handler", {}))
"""
ERASE = """
import pipeline_ops.erase.command as command
command.SETTLED_SECONDS = 0  # no consumer runs
from pipeline_ops.cli import main
main(["erase", "--customer", "17850"])
"""
COMMITS = 11  # a checkpoint is written after ten
UNREADABLE = b"no object of ours, and 17850 in it"
STORES = {
    "RAW_BUCKET": "RawBucket",
    "LAKE_BUCKET": "LakeBucket",
    "INVOICES_TABLE": "InvoicesTable",
    "CUSTOMERS_TABLE": "CustomersTable",
    "STREAM_NAME": "Stream",
}


def calls_of(program: str, data_plane: DataPlane) -> set[Grant]:
    """The calls of a program that runs with the variables of all functions."""
    names = {name: value for each in data_plane.functions.values() for name, value in each.environment.items()}
    places = {names[variable]: place for variable, place in STORES.items()} | {"local-LakeQueue": "LakeQueue"}
    with wire_recorder(data_plane.surroundings["AWS_ENDPOINT_URL"]) as wire:
        environment = {**data_plane.surroundings, **names, "AWS_ENDPOINT_URL": wire.url}
        subprocess.run([sys.executable, "-c", program], env=environment, check=True, stdout=subprocess.DEVNULL)
    # `local-lakebucket/lines/_delta_log/…` is LakeBucket/lines
    split = [(action, resource.split("/")) for action, resource in wire.calls]
    return {(action, "/".join([places[store], *folders[:1]])) for action, (store, *folders) in split}


def raw_bucket(data_plane: DataPlane) -> Bucket:
    return Bucket(data_plane.clients.s3, data_plane.functions["ToLakeFunction"].environment["RAW_BUCKET"])


@pytest.fixture(scope="module")
def lake_calls(data_plane: DataPlane) -> dict[str, set[Grant]]:
    """What the two functions of the lake call while rows come in, and while old files are deleted."""
    bucket = raw_bucket(data_plane)
    redriven = {"batch_id": "b", "rows": [{"number": 0, "text": json.dumps(row(Occurrence=1))}]}
    key = "failed-redriven/to_dynamodb/dt=1970-01-01/hour=00/b.json"
    bucket.put(key, json.dumps(redriven).encode(), "application/json")
    refresh: set[Grant] = set()
    for number in range(COMMITS):
        data = pack(ndjson([row(StockCode=str(number), Occurrence=1)]))
        bucket.put(f"raw/dt=1970-01-01/hour=00/{number}.ndjson.gz", data, "application/gzip")
        refresh |= calls_of(REFRESH, data_plane)
    return {"ToLakeRole": refresh, "VacuumLakeRole": calls_of(VACUUM, data_plane)}


@pytest.fixture(scope="module")
def erase_calls(data_plane: DataPlane, lake_calls: dict[str, set[Grant]]) -> set[Grant]:
    """What an erasure calls where every store names the customer, in objects that it rewrites and that it deletes."""
    bucket, tables = raw_bucket(data_plane), data_plane.functions["ToDynamodbFunction"].environment
    record = pack(ndjson([row(Occurrence=1), row(Occurrence=1, CustomerID="13047")]))
    for other in (b"", record):
        Archive(bucket).add(Record("erased", "1", record + other))
    index = Index(data_plane.clients.dynamodb, tables["INVOICES_TABLE"], tables["CUSTOMERS_TABLE"])
    index.add(Record("e", "1", record))
    for folder in ("failed/to_s3", "failed-redriven/to_s3", "aws/lambda", "rejected/dt=2026-01-01"):
        bucket.put(f"{folder}/strange", UNREADABLE, "text/plain")
    letter = DeadLetterDocument("to_dynamodb", "e", "1", "", (), b64encode(record).decode())
    rows = [{"index": 0, "number": 0, "text": json.dumps(row(Occurrence=1, CustomerID=None))}]
    document = json.dumps({**asdict(letter), "rows": rows}).encode()
    for folder in ("failed", "failed-redriven"):
        bucket.put(f"{folder}/to_dynamodb/dt=1970-01-01/hour=00/e.json", document, "application/json")
    event = json.dumps({"Records": [delivered(record)]})
    bucket.put("aws/lambda/batch", json.dumps({"payload": event}).encode(), "application/json")
    rejection = new_rejection("e", datetime.now(UTC), {0: ndjson([row()])}, [RowError(0, None, "")])
    RejectionStore(bucket).create(rejection)
    return calls_of(ERASE, data_plane)


def test_every_call_of_an_erasure_is_granted_and_every_grant_is_called(
    erase_calls: set[Grant], stack: Transformed
) -> None:
    """Operators assume a role that can do this and no more."""
    assert erase_calls == granted(stack, "EraseRole")


@pytest.mark.parametrize("role", ["ToLakeRole", "VacuumLakeRole"])
def test_every_call_of_the_lake_is_granted_and_every_grant_is_called(
    lake_calls: dict[str, set[Grant]], stack: Transformed, role: str
) -> None:
    """Recorded on the wire: deltalake makes its own calls to S3."""
    print(f"\n{role}: " + ", ".join(sorted(f"{action} on {resource}" for action, resource in lake_calls[role])))
    assert lake_calls[role] == granted(stack, role)
