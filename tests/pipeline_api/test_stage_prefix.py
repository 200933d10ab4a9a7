"""Every stage and domain of API Gateway reaches the same routes, and links stay on that stage or domain."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

import pytest
from mangum import Mangum
from mangum.types import LambdaContext

from pipeline_api.asgi import StagePrefix
from tests.pipeline_api.fake_dynamodb import FakeDynamoDB
from tests.pipeline_api.fake_kinesis import FakeKinesis
from tests.pipeline_api.gateway_events import Event, event_for
from tests.pipeline_api.open_services import app_over, open_services

PREFIXES: Mapping[str, str] = {
    "http_api_v2_default_stage": "",
    "http_api_v2_named_stage": "/live",
    "http_api_v2_custom_domain": "",
    "rest_api_v1_stage": "/prod",
    "rest_api_v1_custom_domain": "",
}


@pytest.fixture(autouse=True)
def event_loop() -> Iterator[None]:
    """Mangum would create one and not close it."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


def respond(event: Event) -> dict[str, Any]:
    app = app_over(open_services(FakeKinesis([]).stream(), FakeDynamoDB([]).tables([])))
    return Mangum(StagePrefix(app), lifespan="off")(event, cast("LambdaContext", None))


@pytest.mark.parametrize("name", PREFIXES)
@pytest.mark.parametrize("path", ["/docs", "/console", "/healthz", "/openapi.json"])
def test_every_gateway_reaches_the_routes(name: str, path: str) -> None:
    """With a stage in the path, without one, and with one that a REST API removed."""
    assert respond(event_for(name, path))["statusCode"] == 200


@pytest.mark.parametrize(("name", "prefix"), PREFIXES.items())
def test_the_document_names_the_prefix_as_its_server(name: str, prefix: str) -> None:
    """So "Try it out" calls the API that served the page."""
    document = json.loads(respond(event_for(name, "/openapi.json"))["body"])
    assert document.get("servers", []) == ([{"url": prefix}] if prefix else [])


@pytest.mark.parametrize(("name", "prefix"), PREFIXES.items())
def test_the_root_leads_to_the_console_of_its_stage(name: str, prefix: str) -> None:
    """A named stage is part of the address."""
    answer = respond(event_for(name, "/"))
    assert (answer["statusCode"], answer["headers"]["location"]) == (307, f"{prefix}/console")


@pytest.mark.parametrize("name", PREFIXES)
def test_an_unknown_route_is_a_problem_behind_every_gateway(name: str) -> None:
    """It is not Starlette's own response."""
    answer = respond(event_for(name, "/nowhere"))
    assert (answer["statusCode"], answer["headers"]["content-type"]) == (404, "application/problem+json")


def test_a_stage_may_have_the_name_of_a_route() -> None:
    """The stage `docs` of a REST API serves /docs at /docs/docs."""
    event = event_for("rest_api_v1_stage", "/docs")
    event["requestContext"] |= {"stage": "docs", "path": "/docs/docs"}
    assert respond(event)["statusCode"] == 200


def test_a_path_that_only_starts_like_the_stage_is_not_changed() -> None:
    """The stage `in` is not a prefix of /ingest."""
    event = event_for("http_api_v2_custom_domain", "/ingest")
    event["requestContext"]["stage"] = "in"
    assert respond(event)["statusCode"] == 405
