"""The accounting is no rubber stamp: what somebody breaks behind its back, it names."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any, cast

import pytest

from chaos.accounting.account import account
from chaos.accounting.evidence import Evidence
from chaos.accounting.objects import read_objects
from chaos.pipeline import Pipeline
from chaos.seed import live_through
from chaos.stores import Stores, new_stores
from chaos.weather import CALM


def a_deleted_slice(stores: Stores) -> None:
    dynamodb = stores.clients.dynamodb
    item = dynamodb.scan(TableName=stores.invoices)["Items"][0]
    dynamodb.delete_item(TableName=stores.invoices, Key={name: item[name] for name in ("InvoiceNo", "SliceId")})


def an_altered_price(stores: Stores) -> None:
    dynamodb = stores.clients.dynamodb
    item: dict[str, Any] = dict(dynamodb.scan(TableName=stores.invoices)["Items"][0])
    price = item["Columns"]["S"].split(",").index("UnitPrice")
    item["Lines"]["L"][0]["L"][price] = {"N": "123.45"}
    dynamodb.put_item(TableName=stores.invoices, Item=item)


def a_deleted_pointer(stores: Stores) -> None:
    dynamodb = stores.clients.dynamodb
    dynamodb.delete_item(TableName=stores.customers, Key=dynamodb.scan(TableName=stores.customers)["Items"][0])


def a_doubled_object(stores: Stores) -> None:
    key, body = next(each for each in read_objects(stores).items() if each[0].startswith("raw/"))
    stores.clients.s3.put_object(Bucket=stores.bucket, Key=key.replace("hour=", "hour=9"), Body=body)


def a_deleted_object(stores: Stores) -> None:
    stores.clients.s3.delete_object(Bucket=stores.bucket, Key=next(iter(read_objects(stores))))


pytestmark = pytest.mark.chaos

TAMPERINGS = [a_deleted_slice, an_altered_price, a_deleted_pointer, a_doubled_object, a_deleted_object]


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda tamper: tamper.__name__)
def test_what_was_tampered_with_is_found(engine: None, tamper: Callable[[Stores], None]) -> None:
    """After a calm run without a finding."""
    pipeline = Pipeline(2, new_stores(tamper.__name__.replace("_", "-")), cast("Any", lambda _: None))
    with closing(pipeline), pipeline.virtual_time():
        evidence = live_through(pipeline, CALM, [])
        before = account(evidence, pipeline.outside)
        tamper(pipeline.stores)
        after = account(replace(evidence, objects=read_objects(pipeline.stores)), pipeline.outside)

    assert before == []
    assert after != []


def test_a_log_record_with_a_rows_content_is_found(engine: None) -> None:
    """Whatever a formatter would make of it."""
    pipeline = Pipeline(2, new_stores("telling"), cast("Any", lambda _: None))
    with closing(pipeline), pipeline.virtual_time():
        evidence: Evidence = live_through(pipeline, CALM, ["stored 6 x HEART Qzx"])

        assert account(evidence, pipeline.outside) == [
            "log records with a row's content: too many 1, such as stored 6 x HEART "
        ]
