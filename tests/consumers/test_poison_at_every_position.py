"""Poison at every position: exactly that record becomes a dead letter, and no neighbour is lost."""

import json
from collections.abc import Iterator
from random import Random
from typing import Any, cast

import pytest

from aws.bucket import Bucket, DeadLetterStore
from chaos.foreign import POISON, Record, too_large
from consumers.archive import Archive
from consumers.batch_loop import Stage, consume
from consumers.index import Index
from tests.consumers.events import PLENTY, batch, delivered
from tests.consumers.stores_in_memory import BucketInMemory, TablesInMemory
from tests.invoice_rows import row
from tests.recorded_metrics import RecordedMetrics

pytestmark = pytest.mark.slow

SIZES = range(1, 51)
GOOD = [batch([row(InvoiceNo=f"good{number}")]) for number in SIZES]


KINDS = [kind for kind in POISON if kind is not too_large]  # it takes a thousand times as long to refuse


def poison(number: int) -> Record:
    """Each kind in turn."""
    return KINDS[number % len(KINDS)](Random(number), "poison", "poison")  # noqa: S311 - the same in each run


def deliveries(size: int) -> Iterator[tuple[int, Record, Any]]:
    """A batch of this size with poison at its first position, at its second …"""
    for position in range(size):
        bad = poison(position + size)
        records = [delivered(GOOD[number], f"good-{number}", number) for number in range(size)]
        records[position] = delivered(bad.data, bad.key, position)
        yield position, bad, {"Records": records}


def dead_letters_in(bucket: BucketInMemory) -> list[str]:
    return [json.loads(body)["batch_id"] for key, body in bucket.objects.items() if key.startswith("failed/")]


@pytest.mark.parametrize("size", SIZES)
def test_tables_miss_the_poison_and_nothing_else(size: int) -> None:
    """Every other record's invoice is stored, in one delivery."""
    for position, bad, event in deliveries(size):
        tables, bucket = TablesInMemory(), BucketInMemory()
        index = Index(cast("Any", tables), "invoices", "customers")
        dead_letters = DeadLetterStore(Bucket(cast("Any", bucket), "bucket"), "to_dynamodb")

        answer = consume(event, PLENTY, Stage(index.add, dead_letters.put), RecordedMetrics())
        assert answer == {"batchItemFailures": []}
        stored = [item["InvoiceNo"]["S"] for item in tables.items.get("invoices", [])]
        assert stored == [f"good{number + 1}" for number in range(size) if number != position]
        assert dead_letters_in(bucket) == [bad.key]


@pytest.mark.parametrize("size", SIZES)
def test_the_archive_holds_the_neighbours(size: int) -> None:
    """It archives gzip without reading rows: only other bytes, or an invalid batch id, become a dead letter."""
    for position, bad, event in deliveries(size):
        bucket = BucketInMemory()
        store = Bucket(cast("Any", bucket), "bucket")
        put = DeadLetterStore(store, "to_s3").put

        answer = consume(event, PLENTY, Stage(Archive(store).add, put), RecordedMetrics())
        assert answer == {"batchItemFailures": []}
        archived = [body for key, body in bucket.objects.items() if key.startswith("raw/")]
        neighbours = [GOOD[number] for number in range(size) if number != position]
        assert [body for body in archived if body != bad.data] == neighbours
        assert dead_letters_in(bucket) == ([bad.key] if "to_s3" in bad.failed_in else [])
