"""The engine that a seed runs on: ministack plays Kinesis, S3 and DynamoDB in a process of its own."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from local_runtime.engine import temporary_engine
from local_runtime.environment import aws_environment


@contextmanager
def running_engine() -> Iterator[Mapping[str, str]]:
    """Run it inside the block; yields boto3's own variables, which lead every client to it."""
    with temporary_engine() as engine:
        yield aws_environment(engine.endpoint)
