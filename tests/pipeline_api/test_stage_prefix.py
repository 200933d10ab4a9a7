"""Behind API Gateway every stage and domain reaches the same routes, with links that lead back to it."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias, cast

import pytest
from mangum import Mangum
from mangum.types import LambdaContext

from pipeline_api.app import create_app
from pipeline_api.asgi import StagePrefix, run_inline
from tests.pipeline_api.fake_dynamodb import FakeDynamoDB
from tests.pipeline_api.fake_kinesis import FakeKinesis
from tests.pipeline_api.open_services import open_services

Event: TypeAlias = dict[str, Any]

EVENTS = Path(__file__).parent / "events"
PREFIXES: Mapping[str, str] = {
    "http_api_v2_default_stage": "",
    "http_api_v2_named_stage": "/live",
    "http_api_v2_custom_domain": "",
    "rest_api_v1_stage": "/prod",
    "rest_api_v1_custom_domain": "",
}


@pytest.fixture(autouse=True)
def event_loop() -> Iterator[None]:
    """Mangum would make one and leave it open."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


def event_for(name: str, path: str) -> Event:
    """The event for /docs, written after AWS's documented form, as it would be for another path."""
    text = (EVENTS / f"{name}.json").read_text()
    event: Event = json.loads(text.replace("/docs", path))
    return event


def answer_to(event: Event) -> dict[str, Any]:
    app = create_app(open_services(FakeKinesis([]).stream(), FakeDynamoDB([]).tables([])), run_inline)
    return Mangum(StagePrefix(app), lifespan="off")(event, cast("LambdaContext", None))


@pytest.mark.parametrize("name", PREFIXES)
@pytest.mark.parametrize("path", ["/docs", "/healthz", "/openapi.json"])
def test_every_gateway_reaches_the_routes(name: str, path: str) -> None:
    """With a stage in the path, without, and where a REST API has taken it out."""
    assert answer_to(event_for(name, path))["statusCode"] == 200


@pytest.mark.parametrize(("name", "prefix"), PREFIXES.items())
def test_the_document_names_the_prefix_as_its_server(name: str, prefix: str) -> None:
    """So that "Try it out" calls the address that the page came from."""
    document = json.loads(answer_to(event_for(name, "/openapi.json"))["body"])
    assert document.get("servers", []) == ([{"url": prefix}] if prefix else [])


@pytest.mark.parametrize("name", PREFIXES)
def test_an_unknown_route_is_a_problem_behind_every_gateway(name: str) -> None:
    """And not an answer of Starlette's."""
    answer = answer_to(event_for(name, "/nowhere"))
    assert (answer["statusCode"], answer["headers"]["content-type"]) == (404, "application/problem+json")


def test_a_stage_named_like_a_route_is_still_a_prefix() -> None:
    """A REST API's stage `docs` serves /docs at /docs/docs."""
    event = event_for("rest_api_v1_stage", "/docs")
    event["requestContext"] |= {"stage": "docs", "path": "/docs/docs"}
    assert answer_to(event)["statusCode"] == 200


def test_a_path_that_only_begins_like_the_stage_is_left_alone() -> None:
    """The stage `in` is no prefix of /ingest."""
    event = event_for("http_api_v2_custom_domain", "/ingest")
    event["requestContext"]["stage"] = "in"
    assert answer_to(event)["statusCode"] == 405
