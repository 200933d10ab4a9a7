"""The core of POST /ingest, free of HTTP."""

from aws.metrics import Metrics
from invoices.errors import Rejected
from pipeline_api.ingest import measures
from pipeline_api.ingest.answer import IngestAnswer
from pipeline_api.ingest.batch import batch_of
from pipeline_api.ingest.media import Media
from pipeline_api.ingest.stream import Stream
from pipeline_api.problems import row_faults


def take(stream: Stream, metrics: Metrics, batch_id: str, body: bytes, media: Media) -> IngestAnswer:
    """Check a body and put its valid rows on the stream as one record. Raises what `batch_of` and `put` raise."""
    try:
        batch = batch_of(body, media)
    except Rejected as refusal:
        metrics.put(batch_id, measures.of_refusal(refusal))
        raise
    stream.put(batch_id, batch.record)
    metrics.put(batch_id, measures.of_batch(batch))
    faults = row_faults(batch.errors)
    return IngestAnswer(batch_id=batch_id, accepted=batch.accepted, rejected=batch.rejected, errors=faults)
