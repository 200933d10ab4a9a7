"""While an erasure runs, nothing that an operator does brings a row of the customer back."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aws.lambda_events import KinesisEvent
from pipeline_ops.erase.statements import StatementWriter
from pipeline_ops.errors import OpsError
from pipeline_ops.options import Stores
from pipeline_ops.redrive import Fix, Redrive
from tests.conftest import create_table
from tests.consumers.events import delivered
from tests.invoice_rows import row
from tests.pipeline_ops.stores import index_of, keys, send, tables
from tests.pipeline_ops.test_erase import ERASED, RECORDS, fill, naming, replay, run, texts


def begin(stores: Stores) -> None:
    """Nothing is erased yet."""
    StatementWriter(stores.bucket).begin(ERASED, 0, keeps_lines=False)


def test_the_archive_is_clean_before_the_tables_change(stores: Stores) -> None:
    """Whoever builds the tables from it meanwhile, with whatever program, finds no row of the customer."""
    fill(stores)
    archived: list[list[str]] = []

    def look(model: Any, **_: object) -> None:
        if model.name in {"BatchWriteItem", "DeleteItem"} and not archived:
            archived.append([text for text in texts(stores) if text.startswith("raw/") and ERASED in text])

    stores.dynamodb.meta.events.register("before-call", look)
    run(stores)
    assert archived == [[]]


def test_a_replay_stores_no_row_of_the_customer(stores: Stores, tmp_path: Path) -> None:
    """Neither from a raw object nor from the document of a redrive, which all hold them still."""
    fill(stores)
    begin(stores)
    empty = replace(stores, invoices_table="empty-invoices", customers_table="empty-customers")
    create_table(stores.dynamodb, "empty-invoices", "InvoiceNo", "SliceId")
    create_table(stores.dynamodb, "empty-customers", "CustomerID", "Slice")
    assert replay(empty, tmp_path).erased_rows
    assert [text for table in tables(empty) for text in table if ERASED in text] == []
    assert tables(empty)[0]


def test_a_redrive_of_the_customers_rows_is_refused(stores: Stores) -> None:
    send(stores, [row(Quantity="six")])
    (key,) = keys(stores, "failed/to_dynamodb/")
    begin(stores)
    with pytest.raises(OpsError, match="is being erased"):
        Redrive(stores.bucket, index_of(stores)).run(key, Fix({"Quantity": "6"}))


def test_a_redrive_of_what_lambda_discarded_leaves_the_customer_out(stores: Stores) -> None:
    """Both stages: it may be the first time that they see the record."""
    event: KinesisEvent = {"Records": [delivered(data, batch_id) for batch_id, data in RECORDS[:2]]}
    context = {"functionArn": "arn", "condition": "RetryAttemptsExhausted"}
    document = json.dumps({"requestContext": context, "payload": json.dumps(event)})
    stores.bucket.put("aws/lambda/uuid/batch.json", document.encode(), "application/json")
    begin(stores)
    Redrive(stores.bucket, index_of(stores)).run("aws/lambda/uuid/batch.json", Fix())
    assert naming(stores) == []
    assert tables(stores)[0]
