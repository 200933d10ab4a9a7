"""The server on loopback answers every call that our functions make."""

import pytest

from bench.designs import API, TO_DYNAMODB, TO_S3
from bench.functions import call, gzip_request, kinesis_event, start
from bench.loopback import aws_on_loopback
from bench.rows import PostedBatch


@pytest.mark.slow
def test_our_functions_run_against_it(batches: list[PostedBatch]) -> None:
    """`call` raises where a function refuses its event."""
    batch = batches[0]
    records = kinesis_event([(batch.key, batch.body)])
    with aws_on_loopback():
        call(start(API), gzip_request(batch.body, batch.key))()
        call(start(TO_S3), records)()
        call(start(TO_DYNAMODB), records)()
