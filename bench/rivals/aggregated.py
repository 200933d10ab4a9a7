"""aws_kinesis_agg: many rows in one record by Kinesis's own aggregation format."""

from collections.abc import Iterable

from aws_kinesis_agg.aggregator import RecordAggregator


def aggregate(rows: Iterable[tuple[str, bytes]]) -> list[bytes]:
    """The records' data for rows of key and text."""
    aggregator = RecordAggregator()
    full = [done for key, text in rows if (done := aggregator.add_user_record(key, text))]
    rest = aggregator.clear_and_get()
    return [record.get_contents()[2] for record in [*full, *([rest] if rest else [])]]
