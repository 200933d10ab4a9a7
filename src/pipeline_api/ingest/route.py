"""POST /ingest."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Header, Request, Response
from pydantic import BaseModel, Field, WithJsonSchema

from aws.errors import translate_errors
from aws.metrics import Metric, MetricsLog
from invoices.batch import BATCH_ID_PATTERN, parse_batch_id
from invoices.errors import InvalidRows, Rejected, RowError
from invoices.line import Line
from pipeline_api.errors import RowFault, row_faults
from pipeline_api.ingest.batch import Batch, batch_of
from pipeline_api.ingest.body import JSON, Media, media_of, read_body
from pipeline_api.ingest.examples import ACCEPTED, INGEST_BODY
from pipeline_api.openapi import INGEST_PROBLEMS
from pipeline_api.running import Run

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

# What POST /ingest answers.


class IngestAnswer(BaseModel):
    """The accepted rows are on the stream; each refused one is named in `errors` at least once."""

    batch_id: Annotated[str, Field(description="Names this batch through the whole pipeline.")]
    accepted: Annotated[int, Field(ge=1, description="Rows taken.")]
    rejected: Annotated[int, Field(ge=0, description="Rows refused.")]
    errors: list[RowFault]


# The stream, as far as the API uses it.


@dataclass(frozen=True, slots=True)
class Stream:
    client: "KinesisClient"
    name: str

    def put(self, batch_id: str, record: bytes) -> None:
        """Put one record, whose partition key is the batch id. Raises Throttled or Unavailable.

        After Unavailable the record may have been put all the same; a retry under the same batch id changes nothing.
        """
        with translate_errors("Kinesis"):
            self.client.put_record(StreamName=self.name, Data=record, PartitionKey=batch_id)


# What is counted of a request: rows taken, rows refused by field, requests refused as a whole by kind.

_WHOLE_ROW = "row"
_UNKNOWN_FIELD = "unknown field"


def of_batch(batch: Batch) -> list[Metric]:
    return [Metric("RowsAccepted", batch.accepted), *_rows_rejected(batch.errors)]


def of_refusal(refusal: Rejected) -> list[Metric]:
    """How many rows there were is only known where they could be read."""
    if isinstance(refusal, InvalidRows) and refusal.errors:
        return _rows_rejected(refusal.errors)
    return [Metric("RequestsRejected", 1, reason=type(refusal).__name__)]


def _rows_rejected(errors: Sequence[RowError]) -> list[Metric]:
    """Each row counts once, under the first of its fields that is at fault."""
    first = {error.index: _reason(error.field) for error in reversed(errors)}
    return [Metric("RowsRejected", rows, reason=field) for field, rows in sorted(Counter(first.values()).items())]


def _reason(field: str | None) -> str:
    """A field's name that we do not know is the caller's own text, and each would be a metric to pay for."""
    if field is None:
        return _WHOLE_ROW
    return field if field in Line.model_fields else _UNKNOWN_FIELD


# The core of POST /ingest, free of HTTP.


def take(stream: Stream, metrics: MetricsLog, batch_id: str, body: bytes, media: Media) -> IngestAnswer:
    """Check a body and put its valid rows on the stream as one record. Raises what `batch_of` and `put` raise."""
    try:
        batch = batch_of(body, media)
    except Rejected as refusal:
        metrics.put(batch_id, of_refusal(refusal))
        raise
    stream.put(batch_id, batch.record)
    metrics.put(batch_id, of_batch(batch))
    faults = row_faults(batch.errors)
    return IngestAnswer(batch_id=batch_id, accepted=batch.accepted, rejected=batch.rejected, errors=faults)


_KEY = Header(
    alias="Idempotency-Key",
    description="Names the batch; the same for every retry of it. Without it each request is a batch of its own.",
)
_KEY_JSON = {"type": "string", "pattern": BATCH_ID_PATTERN, "examples": ["01939f3e-8a00-7c3e-9d5b-3f1f0c2a4b6d"]}


def ingest_routes(stream: Stream, metrics: MetricsLog, run: Run, new_batch_id: Callable[[], str]) -> APIRouter:
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
        batch_id = new_batch_id() if key is None else parse_batch_id(key)
        request.state.batch_id = batch_id  # for the log, should anything go wrong
        media = media_of(request.headers)
        answer = await run(take, stream, metrics, batch_id, await read_body(request), media)
        return Response(answer.model_dump_json(), status_code=202, media_type=JSON)

    return router
