"""The built template deploys, and a row posted to it arrives everywhere, with IAM enforced and TLS demanded.

The emulator runs functions in its own Python, so the artifacts are built for that one. It reads no OpenAPI body, so
the `$default` route is made here by hand. It plays event source mappings, but none of their failure settings: those
are proven by the tests of the local runtime.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from acceptance.artifacts import PROJECT, Build, architecture, python_version, sam_build
from acceptance.http_servers import http_proxy
from acceptance.stack import Stack, deploy, emulated_account, give_the_api_its_route, let_the_lake_delete_in_batches
from tests.invoice_rows import row

_SLOWEST_ARRIVAL_SECONDS = 60


@pytest.fixture(scope="module")
def emulators_build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    return sam_build(tmp_path_factory.mktemp("emulated") / "build", architecture(), Path(sys.executable))


@pytest.fixture(scope="module")
def stack(emulators_build: Build, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with emulated_account(tmp_path_factory.mktemp("emulator")) as account:
        started = time.perf_counter()
        made = deploy(account, emulators_build)
        seconds = time.perf_counter() - started
        version = python_version(Path(sys.executable))
        print(f"\nsam deploy: {len(made.resources)} resources in {seconds:.0f} s; functions run in Python {version}")
        give_the_api_its_route(made)
        print("the `$default` route was made by hand: the emulator reads no OpenAPI body")
        let_the_lake_delete_in_batches(made)
        print("ToLakeRole got sqs:DeleteMessageBatch: on AWS sqs:DeleteMessage is the permission for both")
        yield made


def arrived(look: Callable[[], bool]) -> bool:
    """Whether it becomes true in time; the emulator polls the stream once a second."""
    give_up = time.monotonic() + _SLOWEST_ARRIVAL_SECONDS
    while not (found := look()) and time.monotonic() < give_up:
        time.sleep(0.2)
    return found


def test_a_posted_row_arrives_and_can_be_queried(stack: Stack) -> None:
    """Through the gateway, the stream and both consumers, each with no more than its own role allows."""
    bucket, s3 = stack.outputs["RawBucketName"], stack.account.client("s3")
    with stack.http() as http:
        posted = http.post("/ingest", json=[row(InvoiceNo="D1", Occurrence=1)])
        raw = f"{posted.json()['batch_id']}.ndjson.gz"
        assert posted.status_code == 202
        assert arrived(lambda: http.get("/invoices/D1").status_code == 200)
        assert arrived(lambda: raw in str(s3.list_objects_v2(Bucket=bucket, Prefix="raw/").get("Contents")))
        invoice, customer = http.get("/invoices/D1").json(), http.get("/customers/17850").json()
    assert (invoice["line_count"], invoice["total"], customer["total"]) == (1, "15.30", "15.30")


@pytest.fixture(scope="module")
def refreshes(stack: Stack) -> list[Any]:
    """What a refresh answers after each of two batches with the same row."""
    bucket, s3 = stack.outputs["RawBucketName"], stack.account.client("s3")
    answers = []
    with stack.http() as http:
        for _ in range(2):
            raw = f"{http.post('/ingest', json=[row(InvoiceNo='D2', Occurrence=1)]).json()['batch_id']}.ndjson.gz"
            assert arrived(lambda raw=raw: raw in str(s3.list_objects_v2(Bucket=bucket, Prefix="raw/").get("Contents")))  # type: ignore[misc]
            answers += invoked(stack, "ToLakeFunction")
    return answers


def test_a_posted_row_is_in_the_lake_once(stack: Stack, refreshes: list[Any]) -> None:
    """Sent in two batches; each refresh and the vacuum with no more than its own role allows."""
    vacuumed = invoked(stack, "VacuumLakeFunction")
    print(f"\nrefreshes in the emulator: {refreshes}; vacuum: {vacuumed}")
    assert (refreshes[0]["version"], refreshes[-1]["version"], vacuumed) == (1, None, {"data_files": 0, "totals": 0})
    assert all(answer["unreadable"] == 0 for answer in refreshes)


def invoked(stack: Stack, function: str) -> Any:
    """The function's answer to an event of its schedule."""
    answer = stack.account.client("lambda").invoke(FunctionName=stack.resources[function], Payload=b"{}")
    payload = answer["Payload"].read()
    assert "FunctionError" not in answer, payload
    return json.loads(payload)


@pytest.mark.usefixtures("refreshes")
def test_an_analyst_asks_the_lake_and_reads_no_archive(stack: Stack, tmp_path: Path) -> None:
    """With the role's own credentials."""
    sts = stack.account.client("sts")
    role = sts.assume_role(RoleArn=stack.outputs["AnalystRoleArn"], RoleSessionName="analyst")["Credentials"]
    keys = {
        "AWS_ACCESS_KEY_ID": role["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": role["SecretAccessKey"],
        "AWS_SESSION_TOKEN": role["SessionToken"],
    }
    environment = {**stack.account.environment(), **keys, "SSL_CERT_FILE": str(stack.account.certificate)}
    environment |= {"LAKE_BUCKET": stack.outputs["LakeBucketName"], "PYTHONPATH": str(PROJECT / "src")}
    query = ["query", "SELECT COUNT(*) AS n FROM lines WHERE InvoiceNo = 'D2'", "--json", "--cache", str(tmp_path)]

    def run(program: list[str]) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, *program]
        return subprocess.run(command, env=environment, check=False, capture_output=True, text=True)

    asked = run(["-m", "pipeline_ops", *query])
    assert (asked.stdout, asked.returncode) == ('[{"n": 1}]\n', 0), asked.stderr
    listed = run(["-m", "pipeline_ops", "lake", "rebuild", "--bucket", stack.outputs["RawBucketName"]])
    assert "AccessDenied" in listed.stderr


def test_a_poison_record_is_set_aside(stack: Stack) -> None:
    """Both roles may write under their own folder of `failed/`."""
    bucket, s3 = stack.outputs["RawBucketName"], stack.account.client("s3")
    stack.account.client("kinesis").put_record(
        StreamName=stack.outputs["StreamName"], PartitionKey="poison", Data=b"no gzip"
    )

    def stages() -> set[str]:
        objects = s3.list_objects_v2(Bucket=bucket, Prefix="failed/").get("Contents", [])
        return {each["Key"].split("/")[1] for each in objects}

    assert arrived(lambda: stages() == {"to_s3", "to_dynamodb"})


def test_the_smoke_test_finds_the_deployment_in_order(stack: Stack) -> None:
    """What `make smoke` runs."""
    with stack.http() as http, http_proxy(http) as address:
        smoke = (PROJECT / "deployment" / "smoke.py", "--url", address, "--api-key", stack.api_key)
        finished = subprocess.run([sys.executable, *smoke], check=False, capture_output=True, text=True)
    print(f"\n{finished.stdout}")
    assert (finished.returncode, finished.stderr) == (0, "")


def test_the_bucket_refuses_what_is_not_tls(stack: Stack) -> None:
    """Its policy says so, and was deployed."""
    policy = stack.account.client("s3").get_bucket_policy(Bucket=stack.outputs["RawBucketName"])["Policy"]
    assert '"aws:SecureTransport"' in policy


def test_a_mail_address_is_subscribed(stack: Stack) -> None:
    """The condition on the parameter was evaluated."""
    topic = stack.outputs["AlarmTopicArn"]
    found = stack.account.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert [each["Endpoint"] for each in found] == ["somebody@example.com"]


def test_without_its_grant_the_api_can_put_nothing(stack: Stack) -> None:
    """The emulator does enforce the roles, so the tests above prove something. Last, because it breaks the stack."""
    stack.account.client("iam").delete_role_policy(
        RoleName=stack.resources["ApiRole"], PolicyName="what-the-code-calls"
    )
    with stack.http() as http:
        assert http.post("/ingest", json=[row()]).status_code >= 500
