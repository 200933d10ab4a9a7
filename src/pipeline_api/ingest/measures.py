"""What is counted of a request: rows taken, rows refused by field, requests refused as a whole by kind."""

from collections import Counter
from collections.abc import Sequence

from aws.metrics import Measure
from invoices.errors import InvalidRows, Rejected, RowError
from invoices.line import Line
from pipeline_api.ingest.batch import Batch

_WHOLE_ROW = "row"
_UNKNOWN_FIELD = "unknown field"


def of_batch(batch: Batch) -> list[Measure]:
    return [Measure("RowsAccepted", batch.accepted), *_rows_rejected(batch.errors)]


def of_refusal(refusal: Rejected) -> list[Measure]:
    """How many rows there were is only known where they could be read."""
    if isinstance(refusal, InvalidRows) and refusal.errors:
        return _rows_rejected(refusal.errors)
    return [Measure("RequestsRejected", 1, reason=type(refusal).__name__)]


def _rows_rejected(errors: Sequence[RowError]) -> list[Measure]:
    """Each row counts once, under the first of its fields that is at fault."""
    first = {error.index: _reason(error.field) for error in reversed(errors)}
    return [Measure("RowsRejected", rows, reason=field) for field, rows in sorted(Counter(first.values()).items())]


def _reason(field: str | None) -> str:
    """A field's name that we do not know is the caller's own text, and each would be a metric to pay for."""
    if field is None:
        return _WHOLE_ROW
    return field if field in Line.model_fields else _UNKNOWN_FIELD
