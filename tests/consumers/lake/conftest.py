"""The lake's buckets and queue in an engine of its own: deltalake makes its own calls, which moto does not see."""

import os
from collections.abc import Iterator
from uuid import uuid4

import pytest

from aws.clients import s3_client, sqs_client
from local_runtime.engine import Engine, temporary_engine
from local_runtime.environment import aws_environment
from tests.consumers.lake.lakes import Lake


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    with temporary_engine() as running:
        yield running


@pytest.fixture
def lake(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """An empty archive that tells its queue of each new object, and an empty lake."""
    for name, value in aws_environment(engine.endpoint).items():
        monkeypatch.setenv(name, value)
    assert os.environ["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1")
    return Lake.create(s3_client(), sqs_client(), uuid4().hex)
