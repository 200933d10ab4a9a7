"""template.yaml says what AWS accepts, before and after SAM's transform, and what our promises need."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline_ops.erase.command import CONSUMER_SECONDS
from tests.transformed import TEMPLATE, Transformed, listed, transformed

CONSUMERS = ("consumers.to_s3.handler", "consumers.to_dynamodb.handler")
SOURCES = TEMPLATE.parent / "src"


@pytest.fixture(scope="module")
def stack() -> Transformed:
    return transformed()


@pytest.mark.slow
def test_the_transformed_template_has_no_fault(stack: Transformed, tmp_path: Path) -> None:
    """Most faults show only here; `make lint` looks at the template itself. Warnings count, except W2001: the transform
    has put one parameter's value in its place."""
    path = tmp_path / "transformed.json"
    path.write_text(json.dumps(stack))
    cfn_lint = Path(sys.executable).with_name("cfn-lint")
    command: list[str | Path] = [
        cfn_lint,
        "--non-zero-exit-code",
        "informational",
        "--ignore-checks",
        "W2001",
        "--",
        path,
    ]
    finished = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert (finished.returncode, finished.stdout) == (0, "")


def test_no_policy_has_a_wildcard(stack: Transformed) -> None:
    """Every action and every resource is named; only a bucket's folder ends in a star."""
    assert stack.wildcards() == []


def test_every_function_has_its_own_role(stack: Transformed) -> None:
    """So what one may do, the others may not."""
    roles = [function["Properties"]["Role"] for function in stack.of_type("AWS::Lambda::Function").values()]
    assert sorted(role["Fn::GetAtt"][0] for role in roles) == [
        "ApiRole",
        "ToDynamodbRole",
        "ToLakeRole",
        "ToS3Role",
        "VacuumLakeRole",
    ]


def test_an_analyst_reads_the_lines_and_writes_results(stack: Transformed) -> None:
    """In the lake's bucket alone: neither the archive nor a table of DynamoDB is reached."""
    granted = {
        (action, json.dumps(resource))
        for statement in stack.statements("AnalystRole")
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }
    objects = {(action, resource) for action, resource in granted if action.startswith("s3:")}
    lines, results = (json.dumps({"Fn::Sub": "${LakeBucket.Arn}/" + folder}) for folder in ("lines/*", "athena/*"))
    bucket = '{"Fn::GetAtt": ["LakeBucket", "Arn"]}'
    assert objects == {
        ("s3:GetObject", lines),
        ("s3:GetObject", results),
        ("s3:PutObject", results),
        ("s3:AbortMultipartUpload", results),
        ("s3:ListBucket", bucket),
        ("s3:GetBucketLocation", bucket),
    }
    others = {action.partition(":")[0] for action, _ in granted - objects}
    assert others == {"athena", "glue"}
    assert all("Lake" in resource or resource.endswith(':catalog"}') for _, resource in granted)


def test_an_erasure_waits_as_long_as_a_consumer_may_run(stack: Transformed) -> None:
    """Until then a consumer may store rows by an older list of erased customers."""
    functions = stack.of_type("AWS::Lambda::Function").values()
    consumers = [each["Properties"] for each in functions if each["Properties"]["Handler"] in CONSUMERS]
    assert [each["Timeout"] for each in consumers] == [CONSUMER_SECONDS] * len(CONSUMERS)


def test_every_log_is_forgotten_some_day(stack: Transformed) -> None:
    """A log group that Lambda makes by itself would be kept for ever."""
    groups = stack.of_type("AWS::Logs::LogGroup").values()
    assert [group["Properties"]["RetentionInDays"] for group in groups] == [{"Ref": "LogRetentionDays"}] * 6


@pytest.mark.parametrize("store", ["RawBucket", "InvoicesTable", "CustomersTable", "KeysTable", "LakeBucket"])
def test_what_holds_rows_outlives_the_stack(stack: Transformed, store: str) -> None:
    """Neither a deletion nor a replacement takes them."""
    resource = stack["Resources"][store]
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_every_alarm_tells_the_topic(stack: Transformed) -> None:
    """When it starts and when it is over."""
    alarms = [alarm["Properties"] for alarm in stack.of_type("AWS::CloudWatch::Alarm").values()]
    topic = [{"Ref": "AlarmTopic"}]
    assert [(alarm["AlarmActions"], alarm["OKActions"]) for alarm in alarms] == [(topic, topic)] * len(alarms)


def test_the_dashboard_is_valid_json(stack: Transformed) -> None:
    """CloudWatch refuses anything else, and only on deployment."""
    body = stack["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    assert {widget["type"] for widget in json.loads(body)["widgets"]} == {"text", "alarm", "metric"}


def test_every_metric_of_ours_on_the_dashboard_is_one_that_the_code_writes(stack: Transformed) -> None:
    """And the other way round; so are the alarms'."""
    body = json.loads(stack["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])
    metrics = [line for widget in body["widgets"] for line in widget["properties"].get("metrics", [])]
    shown = {line[1] for line in metrics if line[0] == "${AWS::StackName}"}
    searched = {name for line in metrics for name in re.findall(r"MetricName=(\w+)", str(line[0]))}
    written = {name for path in SOURCES.rglob("*.py") for name in re.findall(r'Metric\("(\w+)"', path.read_text())}
    alarmed = {
        alarm["Properties"]["MetricName"]
        for alarm in stack.of_type("AWS::CloudWatch::Alarm").values()
        if alarm["Properties"]["Namespace"] == {"Fn::Sub": "${AWS::StackName}"}
    }
    assert shown | searched == written
    assert alarmed == {"RecordsSetAside"}


def test_the_access_log_names_no_customer_and_no_caller(stack: Transformed) -> None:
    """A path holds a customer's number; an address is personal data."""
    stage = stack["Resources"]["HttpApiApiGatewayDefaultStage"]["Properties"]
    entry = json.loads(stage["AccessLogSettings"]["Format"].replace("$context.status", "200"))
    forbidden = ("path", "sourceIp", "userAgent", "caller", "user", "querystring")
    assert [value for value in map(str, entry.values()) if any(name in value for name in forbidden)] == []


def test_the_pages_have_a_throttle_of_their_own(stack: Transformed) -> None:
    """A flood of pages that need no key takes nothing from senders. A throttle without a route cannot be deployed."""
    api = stack["Resources"]["HttpApi"]["Properties"]["Body"]["paths"]
    settings = stack["Resources"]["HttpApiApiGatewayDefaultStage"]["Properties"]["RouteSettings"]
    methods = {"x-amazon-apigateway-any-method": "ANY"}
    routes = {f"{methods.get(method, method.upper())} {path}" for path, each in api.items() for method in each}
    pages = ("/", "/console", "/console/{file+}", "/docs", "/docs/{file+}", "/openapi.json")
    assert set(settings) == {f"ANY {page}" for page in pages}
    assert set(settings) < routes
    assert all(each["ThrottlingRateLimit"] <= 20 for each in settings.values())
