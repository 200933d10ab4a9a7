"""The OpenAPI document that is committed, and its current text."""

import json
from pathlib import Path

from tests.pipeline_api.api_calls import Api
from tests.pipeline_api.fake_dynamodb import FakeDynamoDB
from tests.pipeline_api.fake_kinesis import FakeKinesis
from tests.pipeline_api.open_services import app_over, open_services

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.json"


def openapi_text() -> str:
    services = open_services(FakeKinesis([]).stream(), FakeDynamoDB([]).tables([]))
    document = Api(app_over(services)).get("/openapi.json").json()
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
