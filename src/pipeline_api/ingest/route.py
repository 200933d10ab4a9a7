"""POST /ingest."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from pydantic import WithJsonSchema

from aws.metrics import Metrics
from invoices.batch_id import BATCH_ID_PATTERN, checked_batch_id
from pipeline_api.ingest.answer import IngestAnswer
from pipeline_api.ingest.body import read_body
from pipeline_api.ingest.media import JSON, media_of
from pipeline_api.ingest.request_docs import ACCEPTED, INGEST_BODY
from pipeline_api.ingest.stream import Stream
from pipeline_api.ingest.take import take
from pipeline_api.problem_docs import INGEST_PROBLEMS
from pipeline_api.running import Run

_KEY = Header(
    alias="Idempotency-Key",
    description="Names the batch; the same for every retry of it. Without it each request is a batch of its own.",
)
_KEY_JSON = {"type": "string", "pattern": BATCH_ID_PATTERN, "examples": ["01939f3e-8a00-7c3e-9d5b-3f1f0c2a4b6d"]}


def ingest_routes(stream: Stream, metrics: Metrics, run: Run, new_batch_id: Callable[[], str]) -> APIRouter:
    router = APIRouter(tags=["ingest"])

    @router.post(
        "/ingest",
        status_code=202,
        summary="Send one row or many",
        operation_id="ingest",
        response_model=IngestAnswer,
        responses={
            202: ACCEPTED,
            **INGEST_PROBLEMS,
        },
        openapi_extra={"requestBody": INGEST_BODY},
    )
    async def ingest(request: Request, key: Annotated[str | None, WithJsonSchema(_KEY_JSON), _KEY] = None) -> Response:
        """Each row is checked by itself: the valid ones are taken, and each other one is named in `errors`."""
        batch_id = new_batch_id() if key is None else checked_batch_id(key)
        request.state.batch_id = batch_id  # for the log, should anything go wrong
        media = media_of(request.headers)
        answer = await run(take, stream, metrics, batch_id, await read_body(request), media)
        return Response(answer.model_dump_json(), status_code=202, media_type=JSON)

    return router
