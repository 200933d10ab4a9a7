"""POST /ingest: the route, its response and metrics, and who keeps rejected rows."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, NamedTuple

import uuid6
from botocore.exceptions import BotoCoreError, ClientError
from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, Field, WithJsonSchema

from aws.api_keys import Scope
from aws.metrics import Metric, MetricsLog
from aws.rejections import OpenRejections, field_label
from aws.stream import Stream
from invoices.batch import BATCH_ID_PATTERN, parse_batch_id
from invoices.errors import InvalidRows, Rejected, Retryable, RowError
from pipeline_api.auth import KEY_HEADER, Authorize
from pipeline_api.ingest.batch import JSON, Batch, Media, parse_media, read_batch, read_body
from pipeline_api.ingest.examples import ACCEPTED, INGEST_BODY, INGEST_PROBLEMS, QUERYABLE
from pipeline_api.ingest.waiting import LONGEST_WAIT_SECONDS, ReceiptWait, wait_seconds
from pipeline_api.problems import RowErrors
from pipeline_api.queries.models import NoQuery, ReceiptResponse


class IngestResponse(BaseModel):
    """The accepted rows are on the stream. Each rejected row is listed in `errors` at least once."""

    batch_id: Annotated[str, Field(description="Names this batch through the whole pipeline.")]
    accepted: Annotated[int, Field(ge=1, description="Rows accepted.")]
    rejected: Annotated[int, Field(ge=0, description="Rows rejected.")]
    errors: RowErrors


class QueryableResponse(IngestResponse):
    """The accepted rows can be queried. `receipt` is about the rows of this request alone."""

    receipt: ReceiptResponse


_KEY = Header(
    alias="Idempotency-Key",
    description="Names the batch. Use the same key for each retry. Without a key each request is a batch of its own.",
)
_KEY_JSON = {"type": "string", "pattern": BATCH_ID_PATTERN, "examples": ["01939f3e-8a00-7c3e-9d5b-3f1f0c2a4b6d"]}

_PREFER = Header(
    alias="Prefer",
    description=(
        "`wait=5` asks for a response that comes as soon as the accepted rows can be queried, or after 5 seconds (RFC "
        f"7240). At most {LONGEST_WAIT_SECONDS}. Other preferences are ignored."
    ),
)
_PREFER_JSON = {"type": "string", "examples": ["wait=5"]}


def ingest_routes(
    stream: Stream, open_rejections: OpenRejections, metrics: MetricsLog, wait: ReceiptWait, authorize: Authorize
) -> APIRouter:
    run = wait.run
    router = APIRouter(tags=["ingest"])

    @router.post(
        "/ingest",
        status_code=202,
        summary="Send one row or many",
        operation_id="ingest",
        response_model=IngestResponse,
        responses={200: {"model": QueryableResponse, **QUERYABLE}, 202: ACCEPTED, **INGEST_PROBLEMS},
        openapi_extra={"requestBody": INGEST_BODY},
    )
    async def ingest(
        request: Request,
        _: Annotated[NoQuery, Query()],
        key: Annotated[str | None, WithJsonSchema(_KEY_JSON), _KEY] = None,
        prefer: Annotated[str | None, WithJsonSchema(_PREFER_JSON), _PREFER] = None,
    ) -> Response:
        """Each row is validated by itself: valid rows are accepted, and each rejected row is listed in `errors`."""
        batch_id = str(uuid6.uuid7()) if key is None else parse_batch_id(key)
        request.state.batch_id = batch_id  # for the log, if something fails
        media = parse_media(request.headers)
        authorize_correction = partial(authorize, request.headers.get(KEY_HEADER), Scope.CORRECT)
        body = await read_body(request)
        response, record = await run(
            ingest_batch, stream, open_rejections, metrics, batch_id, body, media, authorize_correction
        )
        headers = {"Location": f"{request.scope.get('root_path', '')}/batches/{batch_id}"}
        if prefer and (seconds := wait_seconds(prefer)):
            headers["Preference-Applied"] = f"wait={seconds}"
            if receipt := await wait.receipt_of(batch_id, record, seconds, request.state.arrived_at):
                queryable = QueryableResponse(**dict(response), receipt=receipt)
                return Response(queryable.model_dump_json(), 200, headers, JSON)
        return Response(response.model_dump_json(), 202, headers, JSON)

    return router


class Ingested(NamedTuple):
    """The response to a batch, and its record on the stream."""

    response: IngestResponse
    record: bytes


def ingest_batch(  # noqa: PLR0913, PLR0917 - called with positions, by `run`
    stream: Stream,
    open_rejections: OpenRejections,
    metrics: MetricsLog,
    batch_id: str,
    body: bytes,
    media: Media,
    authorize_correction: Callable[[], None],
) -> Ingested:
    """Validate a body, put its valid rows on the stream as one record, and keep the others.

    Raises what `read_batch` and `Stream.put` raise. A batch that restates or takes back a line also needs
    `authorize_correction`; if that raises, nothing is stored.
    """
    try:
        batch = read_batch(body, media)
    except Rejected as error:
        lost = _keep_rejected(open_rejections, batch_id, error) if isinstance(error, InvalidRows) else []
        metrics.put(batch_id, [*_rejection_metrics(error), *lost])
        raise
    if not batch.is_ordinary:
        authorize_correction()
    stream.put(batch_id, batch.record)
    lost = _keep_rejected(open_rejections, batch_id, batch)
    metrics.put(batch_id, [Metric("RowsAccepted", batch.accepted), *_row_metrics(batch.errors), *lost])
    response = IngestResponse(
        batch_id=batch_id, accepted=batch.accepted, rejected=len(batch.rejected), errors=list(batch.errors)
    )
    return Ingested(response, batch.record)


def _keep_rejected(open_rejections: OpenRejections, batch_id: str, batch: Batch | InvalidRows) -> list[Metric]:
    """Write the rejected rows with one attempt. Raises nothing: the caller has their errors in the response."""
    if not batch.rejected:
        return []
    try:
        if store := open_rejections():
            accepted = batch.accepted if isinstance(batch, Batch) else 0
            store.keep(batch_id, batch.rejected, batch.errors, accepted)
    except (Retryable, BotoCoreError, ClientError) as error:
        _logger.warning("Rejected rows are not kept: %s", error, extra={"batch_id": batch_id, "route": "/ingest"})
        return [Metric("RejectedRowsNotKept", len(batch.rejected))]
    return []


def _rejection_metrics(error: Rejected) -> list[Metric]:
    """Rows are counted if they could be read; otherwise the request is counted."""
    if isinstance(error, InvalidRows) and error.errors:
        return _row_metrics(error.errors)
    return [Metric("RequestsRejected", 1, reason=type(error).__name__)]


def _row_metrics(errors: Sequence[RowError]) -> list[Metric]:
    """Count each rejected row once, under the first of its invalid fields.

    Each distinct reason is a metric that costs money.
    """
    reasons = {error.index: field_label(error.field) for error in reversed(errors)}
    return [Metric("RowsRejected", rows, reason=reason) for reason, rows in sorted(Counter(reasons.values()).items())]


_logger = logging.getLogger(__name__)
