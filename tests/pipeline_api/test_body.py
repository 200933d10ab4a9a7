"""The body of a request is read in chunks."""

import asyncio

from starlette.types import Message

from tests.pipeline_api.fake_dynamodb import FakeDynamoDB
from tests.pipeline_api.fake_kinesis import FakeKinesis, PutRecord
from tests.pipeline_api.open_services import app_over, open_services

SCOPE = {
    "type": "http",
    "method": "POST",
    "path": "/ingest",
    "query_string": b"",
    "headers": [(b"content-type", b"application/json")],
}


def test_a_caller_who_disconnects_puts_nothing_on_the_stream() -> None:
    """Half a body is not a batch. It is not an error of the API either, so nothing is logged."""
    put_records: list[PutRecord] = []
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    app = app_over(open_services(FakeKinesis(put_records).stream(), FakeDynamoDB([]).tables([])))

    async def call() -> None:
        await app(SCOPE, receive, send)

    asyncio.run(call())
    assert (sent[0]["status"], put_records) == (400, [])
