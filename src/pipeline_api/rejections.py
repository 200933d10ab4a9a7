"""GET /rejections: the requests that had rejected rows, and the rows of one of them, as JSON or as CSV.

POST /rejections/{id}/rows/{index} sends a mended row in place of a rejected one.
"""

import csv
import json
from collections.abc import Callable, Sequence
from functools import partial
from io import StringIO
from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field

from aws.api_keys import Scope
from aws.metrics import Metric, MetricsLog
from aws.rejections import REJECTION_ID_PATTERN, OpenRejections, RejectedRow, Rejection, RejectionStore, Summary
from aws.resend import ChangedMeanwhile, resend
from aws.stream import PutRecord
from invoices.batch import unpack
from invoices.errors import Malformed, Unavailable
from invoices.limits import MAX_BODY_BYTES, MAX_ROWS
from invoices.line import CONTENT_FIELDS, Line
from invoices.rows import json_pairs, read_rows
from pipeline_api.asgi import RunBlocking
from pipeline_api.auth import KEY_HEADER, Authorize
from pipeline_api.ingest.batch import JSON, Media, parse_media, read_batch, read_body
from pipeline_api.ingest.examples import INGEST_PROBLEMS, ONE_ROW
from pipeline_api.ingest.route import IngestResponse
from pipeline_api.openapi import problem_responses, schema_reference, service_problems
from pipeline_api.problems import PROBLEM_JSON, NotFound, ParametersProblem, RowsProblem, SentBefore
from pipeline_api.queries.models import (
    Day,
    NextToken,
    NoQuery,
    StrictQuery,
    Token,
    foreign_token,
    page_token,
    parse_page_token,
)
from pipeline_api.queries.routes import json_response, reject_repeated_parameters

CSV = "text/csv"
_EXAMPLE_ID = "2026-11-26.43195.01939f3e-8a00-7c3e-9d5b-3f1f0c2a4b6d.0f1e2d3c4b5a6978"

_RejectionInPath = Annotated[
    str, Path(pattern=REJECTION_ID_PATTERN, description="An id from the list.", examples=[_EXAMPLE_ID])
]


class RejectionsQuery(StrictQuery):
    first_day: Annotated[Day | None, Field(alias="from", description="The first day (UTC).")] = None
    last_day: Annotated[Day | None, Field(alias="to", description="The last day (UTC); it counts, too.")] = None
    field: Annotated[
        str | None,
        Field(max_length=40, description="Only requests where it is invalid: a field, `row` or `unknown field`."),
    ] = None
    reason: Annotated[
        str | None, Field(max_length=100, description="Only requests with this text in an error's message.")
    ] = None
    limit: Annotated[int, Field(ge=1, le=100, description="The largest number of requests in the response.")] = 20
    next_token: NextToken = None


class RowsPage(StrictQuery):
    limit: Annotated[int, Field(ge=1, le=1000, description="The largest number of rows; a CSV has all.")] = 1000
    next_token: NextToken = None


class ReasonResponse(BaseModel):
    """In how many rows `field` breaks the rule. It is `row` where the whole row is meant."""

    field: Annotated[str, Field(examples=["Quantity"])]
    message: Annotated[str, Field(examples=["must be a whole number of at most 9 digits"])]
    rows: Annotated[int, Field(examples=[2])]


class RejectionSummary(BaseModel):
    """A request that had rejected rows. `kept` of them can be shown; `resent` of those were mended and sent since.

    `reasons` are the most frequent ones, at most 12.
    """

    id: Annotated[str, Field(examples=[_EXAMPLE_ID])]
    batch_id: Annotated[str, Field(examples=["01939f3e-8a00-7c3e-9d5b-3f1f0c2a4b6d"])]
    rejected_at: Annotated[str, Field(examples=["2026-11-26T12:00:04+00:00"])]
    rejected: Annotated[int, Field(examples=[2])]
    kept: Annotated[int, Field(examples=[2])]
    resent: Annotated[int, Field(examples=[0])]
    reasons: list[ReasonResponse]


class RejectionsResponse(BaseModel):
    """One page of the list. With a filter, a page may have fewer entries than `limit` and be followed by another."""

    rejections: list[RejectionSummary]
    next_token: Token


class FieldError(BaseModel):
    field: Annotated[str | None, Field(examples=["Quantity"])]
    message: Annotated[str, Field(examples=["must be a whole number of at most 9 digits"])]


class RejectedRowResponse(BaseModel):
    """A row as it was sent: `row` has its values as text. Where it is no clear JSON object, `text` has the whole row.

    `index` is the place of the row in the request, from 0. `resent` has the values that count in its place since then.
    While `is_resent` is false they may not be on the stream yet: send the same values again.
    """

    index: Annotated[int, Field(examples=[1])]
    errors: list[FieldError]
    row: Annotated[dict[str, str | None] | None, Field(examples=[{"InvoiceNo": "536365", "Quantity": "six"}])]
    text: Annotated[str | None, Field(examples=[None])]
    is_resent: Annotated[bool, Field(examples=[False])]
    resent: Annotated[dict[str, str | None] | None, Field(examples=[None])]


class RejectionResponse(RejectionSummary):
    """A request that had rejected rows, and one page of them."""

    rows: list[RejectedRowResponse]
    next_token: Token


def rejection_routes(open_rejections: OpenRejections, run: RunBlocking) -> APIRouter:
    invalid = {"type": "string_pattern_mismatch", "loc": ("query", "from"), "msg": ""}
    errors = (foreign_token(), NotFound("rejected rows are not kept"), RequestValidationError([invalid]))
    router = APIRouter(
        tags=["rejections"],
        responses=problem_responses(*errors) | service_problems("S3"),
        dependencies=[Depends(reject_repeated_parameters)],
    )

    @router.get(
        "/rejections",
        summary="Requests with rejected rows",
        operation_id="rejections",
        response_model=RejectionsResponse,
    )
    async def rejections(query: Annotated[RejectionsQuery, Query()]) -> Response:
        """The latest request first, by the time in its batch id if that is a UUIDv7, or else by its hour.

        Rejected rows are kept for some weeks.
        """
        return json_response(await run(lambda: list_rejections(_require_store(open_rejections), query)))

    @router.get(
        "/rejections/{id}",
        summary="The rejected rows of a request",
        operation_id="rejection",
        response_model=RejectionResponse,
        responses={200: {"content": {CSV: {"schema": {"type": "string"}}}}},
    )
    async def rejection(id: _RejectionInPath, page: Annotated[RowsPage, Query()], request: Request) -> Response:  # noqa: A002
        """With `Accept: text/csv`, all rows that were not sent since, as a file that `invoice-stream send` takes."""
        found = await run(lambda: find_rejection(_require_store(open_rejections), id))
        if CSV in request.headers.get("accept", ""):
            headers = {"Content-Disposition": f'attachment; filename="{id}.rejects.csv"', "Vary": "Accept"}
            return Response(rejects_csv(found.rows), media_type=CSV, headers=headers)
        response = json_response(show_rejection(found, page))
        response.headers["Vary"] = "Accept"
        return response

    return router


def mend_routes(
    put_record: PutRecord,
    open_rejections: OpenRejections,
    metrics: MetricsLog,
    run: RunBlocking,
    authorize: Authorize,
) -> APIRouter:
    conflict = SentBefore("this row was sent before, with other values; they hold")
    router = APIRouter(
        tags=["rejections"],
        responses=problem_responses(NotFound("no such rejected row"), conflict),
        dependencies=[Depends(reject_repeated_parameters)],
    )

    @router.post(
        "/rejections/{id}/rows/{index}",
        status_code=202,
        summary="Send a mended row",
        operation_id="mend",
        response_model=IngestResponse,
        responses=INGEST_PROBLEMS | {422: _invalid_row_or_index()},
        openapi_extra={"requestBody": _MENDED_BODY},
    )
    async def mend(
        id: _RejectionInPath,  # noqa: A002
        index: _IndexInPath,
        _: Annotated[NoQuery, Query()],
        request: Request,
    ) -> Response:
        """The row counts once, however often it is sent, and the rejection notes that it was sent.

        The values that were sent first hold; others are refused with 409. A row with `AsOf` or `Withdrawn` needs the
        scope `correct`, too.
        """
        media = parse_media(request.headers)
        authorize_correction = partial(authorize, request.headers.get(KEY_HEADER), Scope.CORRECT)
        body = await read_body(request)

        def send() -> str:
            text = read_mended(body, media, authorize_correction)
            return send_mended(_require_store(open_rejections), put_record, id, index, text)

        batch_id = await run(send)
        metrics.put(batch_id, [Metric("RowsAccepted", 1)])
        response = IngestResponse(batch_id=batch_id, accepted=1, rejected=0, errors=[])
        headers = {"Location": f"{request.scope.get('root_path', '')}/batches/{batch_id}"}
        return Response(response.model_dump_json(), 202, headers, JSON)

    return router


_IndexInPath = Annotated[
    int, Path(ge=0, le=MAX_ROWS - 1, description="The index of the row in its request.", examples=[1])
]
_MENDED_BODY = {
    "required": True,
    "description": "The whole row as it should have been.",
    "content": {JSON: {"schema": schema_reference(Line), "example": ONE_ROW}},
}
_ATTEMPTS = 3  # others may decide about other rows of the same request meanwhile


def _invalid_row_or_index() -> dict[str, Any]:
    """The index stands in the path, so a 422 is about the row or about a parameter."""
    documented = INGEST_PROBLEMS[422]
    schema = {"anyOf": [schema_reference(RowsProblem), schema_reference(ParametersProblem)]}
    return documented | {"content": {PROBLEM_JSON: documented["content"][PROBLEM_JSON] | {"schema": schema}}}


def read_mended(body: bytes, media: Media, authorize_correction: Callable[[], None]) -> bytes:
    """The bytes of the one row in the body. Raises what `read_batch` and `authorize_correction` raise, or Malformed."""
    batch = read_batch(body, media)
    if batch.accepted != 1 or batch.rejected:
        raise Malformed("the body must have one row")
    if not batch.is_ordinary:
        authorize_correction()
    return unpack(batch.record, MAX_BODY_BYTES).strip()


def send_mended(store: RejectionStore, put_record: PutRecord, rejection_id: str, index: int, text: bytes) -> str:
    """Send the row in place of the rejected one. Returns the id of its batch.

    Raises NotFound, SentBefore, CustomerErased, TooLarge, Throttled or Unavailable.
    """
    for _ in range(_ATTEMPTS):
        if (found := store.read(rejection_id)) is None:
            raise NotFound("no such rejected row; rejected rows are kept for some weeks")
        row = next((each for each in found[0].rows if each.index == index), None)
        if row is None:
            raise NotFound("no such rejected row in this request")
        if row.resent is not None and read_rows([row.resent]).lines != read_rows([text]).lines:
            raise SentBefore("this row was sent before, with other values; they hold")
        try:
            return resend(store, put_record, found, {} if row.resent else {index: text}).batch_id
        except ChangedMeanwhile:
            continue
    raise Unavailable("others send rows of this request at the same moment")


def _require_store(open_rejections: OpenRejections) -> RejectionStore:
    if (store := open_rejections()) is None:
        raise NotFound("rejected rows are not kept")
    return store


_MAX_READ = 200  # ids and summaries for one response: with a filter, few of them may match


def list_rejections(store: RejectionStore, query: RejectionsQuery) -> RejectionsResponse:
    """Raises Malformed for a foreign token, Throttled or Unavailable."""
    name = f"rejections/{query.first_day}/{query.last_day}/{query.field}/{query.reason}"
    before = None if query.next_token is None else parse_page_token(query.next_token, name)
    most = _MAX_READ if query.field or query.reason else query.limit
    listed = store.latest_first(query.first_day or "", query.last_day or "9999-12-31", before)
    read = list(islice(listed, most + 1))
    found = store.summaries(read[:most])
    matching = [(each, summary) for each, summary in found if summary.has_reason(query.field, query.reason)]
    shown = matching[: query.limit]
    rest = read[most - 1] if len(read) > most else None
    last = shown[-1][0] if len(matching) > len(shown) else rest
    return RejectionsResponse(
        rejections=[_summary_response(each, summary) for each, summary in shown],
        next_token=page_token(name, last) if last is not None else None,
    )


def _summary_response(rejection_id: str, summary: Summary) -> RejectionSummary:
    return RejectionSummary(
        id=rejection_id,
        batch_id=summary.batch_id,
        rejected_at=summary.rejected_at,
        rejected=summary.rejected,
        kept=summary.kept,
        resent=summary.resent,
        reasons=[ReasonResponse(field=each.field, message=each.message, rows=each.rows) for each in summary.reasons],
    )


def find_rejection(store: RejectionStore, rejection_id: str) -> Rejection:
    """Raises NotFound, Throttled or Unavailable."""
    if (found := store.read(rejection_id)) is None:
        raise NotFound("no such rejection; rejected rows are kept for some weeks")
    return found[0]


def show_rejection(rejection: Rejection, page: RowsPage) -> RejectionResponse:
    """Raises Malformed for a foreign token."""
    name = f"rejections/{rejection.id}"
    after = -1 if page.next_token is None else int(parse_page_token(page.next_token, name))
    rest = [row for row in rejection.rows if row.index > after]
    shown = rest[: page.limit]
    return RejectionResponse(
        **dict(_summary_response(rejection.id, rejection.summary)),
        rows=[_row_response(row, is_sent=rejection.summary.is_sent) for row in shown],
        next_token=page_token(name, str(shown[-1].index)) if len(rest) > len(shown) else None,
    )


def _row_response(row: RejectedRow, *, is_sent: bool) -> RejectedRowResponse:
    """`is_sent`: every row of the request that was decided is on the stream."""
    values = _values(row.text)
    return RejectedRowResponse(
        index=row.index,
        errors=[FieldError(field=error.field, message=error.message) for error in row.errors],
        row=values,
        text=None if values is not None else row.text.decode(errors="replace"),
        is_resent=row.resent is not None and is_sent,
        resent=None if row.resent is None else _values(row.resent),
    )


_IDS = ("InvoiceNo", "StockCode", "CustomerID")
_ADDED_COLUMNS = ("line", "field", "reason", "row")
"""The client ignores these columns behind its own. `row` has the text of a row that the columns cannot hold."""


def rejects_csv(rows: Sequence[RejectedRow]) -> bytes:
    """The rows that were not resent, one line each, with the first error of each. `line` counts rows from 1."""
    file = StringIO()
    writer = csv.writer(file)
    writer.writerow((*CONTENT_FIELDS, *_ADDED_COLUMNS))
    for row in rows:
        if row.resent is None:
            fields, text = _csv_fields(row.text)
            error = row.errors[0]
            writer.writerow((*fields, row.index + 1, error.field or "", error.message, text))
    return file.getvalue().encode()


def _csv_fields(text: bytes) -> tuple[list[str], str]:
    """`Occurrence` is left out: the client counts it anew."""
    values = _values(text)
    if values is None or values.keys() - {*CONTENT_FIELDS, "Occurrence"}:
        return [""] * len(CONTENT_FIELDS), text.decode(errors="replace")
    return [values.get(name) or "" for name in CONTENT_FIELDS], ""


def _values(text: bytes) -> dict[str, str | None] | None:
    """The values of a row as text, as they stand in its JSON. None where it is no object of plain values."""
    pairs = json_pairs(text, number=_Number)
    if pairs is None or len(dict(pairs)) < len(pairs) or any(isinstance(value, list) for _, value in pairs):
        return None
    return {_plain_text(name): None if value is None else _plain_text(_id_text(name, value)) for name, value in pairs}


class _Number(str):
    """The text of a number in JSON."""

    __slots__ = ()


def _id_text(name: str, value: object) -> object:
    """An id that came as a number has no point in its normal form. As text it would keep it, and be another id."""
    return value.removesuffix(".0") if isinstance(value, _Number) and name in _IDS else value


def _plain_text(value: object) -> str:
    """JSON can escape half of a surrogate pair, which is no text that a response can hold: it becomes `?`."""
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode(errors="replace").decode()
