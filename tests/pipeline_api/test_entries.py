"""The two entry points: for a server and for Lambda."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping

import pytest

pytestmark = pytest.mark.slow

NAMES = {
    "STREAM_NAME": "rows",
    "INVOICES_TABLE": "invoices",
    "CUSTOMERS_TABLE": "customers",
    "BATCHES_TABLE": "batches",
    "KEYS_TABLE": "keys",
    "METRICS_NAMESPACE": "invoices",
    "DOCS_ACCESS": "open",
}
REGION = {"AWS_REGION": "us-east-1"}


def python(code: str, environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    path = os.pathsep.join(sys.path)
    return subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_server_without_a_setting_ends_with_one_sentence() -> None:
    """There is no traceback."""
    result = python("import pipeline_api.main", {**NAMES, **REGION, "STREAM_NAME": ""})
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith("STREAM_NAME is not set")


def test_both_entry_points_respond() -> None:
    """They are wired as in production; the health route needs no service."""
    code = """
import asyncio, httpx, json
from pipeline_api.main import app
from pipeline_api.lambda_handler import handler

async def health():
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api.test") as client:
        return (await client.get("/healthz")).json()

http = {"method": "GET", "path": "/healthz", "sourceIp": "203.0.113.7"}
event = {"version": "2.0", "headers": {}, "requestContext": {"http": http, "stage": "$default"}}
print(json.dumps([json.loads(handler(event, None)["body"]), asyncio.run(health())]))
"""
    result = python(code, {**NAMES, **REGION})
    assert json.loads(result.stdout or "null") == [{"status": "ok"}, {"status": "ok"}], result.stderr


def test_on_lambda_the_models_of_openapi_are_built_with_the_first_document() -> None:
    """Building them would take a seventh of each cold start."""
    code = """
from pipeline_api.lambda_handler import handler
from fastapi.openapi.models import OpenAPI
from invoices.line import Line

before = OpenAPI.__pydantic_complete__, Line.__pydantic_complete__
http = {"method": "GET", "path": "/openapi.json", "sourceIp": "203.0.113.7"}
event = {"version": "2.0", "headers": {}, "requestContext": {"http": http, "stage": "$default"}}
status = handler(event, None)["statusCode"]
print(before, status, OpenAPI.__pydantic_complete__)
"""
    result = python(code, {**NAMES, **REGION})
    assert result.stdout == "(False, True) 200 True\n", result.stderr
