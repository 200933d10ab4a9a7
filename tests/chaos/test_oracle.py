"""The oracle finds what somebody changes in the stores or the logs."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chaos.faults import NO_FAULTS
from chaos.oracle import broken_promises
from chaos.pipeline import Pipeline
from chaos.scenario import run_scenario
from chaos.stores import Stores, create_stores
from invoices.batch import pack


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
    key, body = next(each for each in stores.objects().items() if each[0].startswith("raw/"))
    stores.clients.s3.put_object(Bucket=stores.bucket, Key=key.replace("hour=", "hour=9"), Body=body)


def a_deleted_object(stores: Stores) -> None:
    key = next(each for each in stores.objects() if not each.startswith("erased/"))  # no row is in those
    stores.clients.s3.delete_object(Bucket=stores.bucket, Key=key)


def an_altered_receipt(stores: Stores) -> None:
    dynamodb = stores.clients.dynamodb
    item = dynamodb.scan(TableName=stores.batches)["Items"][0]
    dynamodb.put_item(TableName=stores.batches, Item={**item, "Stored": {"N": "1000"}})


def a_deleted_rejection(stores: Stores) -> None:
    key = next(each for each in stores.objects() if each.startswith("rejected/"))
    stores.clients.s3.delete_object(Bucket=stores.bucket, Key=key)


pytestmark = pytest.mark.chaos

SEED_WITH_ERASURE = 6

TAMPERINGS = [
    a_deleted_slice,
    an_altered_price,
    a_deleted_pointer,
    a_doubled_object,
    a_deleted_object,
    an_altered_receipt,
    a_deleted_rejection,
]


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda tamper: tamper.__name__)
def test_what_was_tampered_with_is_found(engine: None, tamper: Callable[[Stores], None]) -> None:
    """After a scenario without faults and without a finding."""
    pipeline = Pipeline(2, create_stores(tamper.__name__.replace("_", "-")), _ignore)
    with pipeline.virtual_time():
        seen = run_scenario(pipeline, NO_FAULTS, [])
        before = broken_promises(seen, pipeline.client_environment)
        tamper(pipeline.stores)
        after = broken_promises(replace(seen, objects=pipeline.stores.objects()), pipeline.client_environment)

    assert before == []
    assert after != []


def test_an_old_version_that_an_erasure_left_is_found(engine: None) -> None:
    """The latest version is right, so nothing else can notice."""
    pipeline = Pipeline(SEED_WITH_ERASURE, create_stores("old-version"), _ignore)
    with pipeline.virtual_time():
        seen = run_scenario(pipeline, NO_FAULTS, [])
        assert seen.erasure
        before = broken_promises(seen, pipeline.client_environment)
        later = {put.key for put in seen.puts if max(put.arrived) >= seen.erasure.end}
        key, body = next(
            (key, body) for key, body in seen.objects_under("raw/").items() if not any(each in key for each in later)
        )
        for version in (pack(json.dumps({"CustomerID": seen.erasure.customer}).encode()), body):
            pipeline.stores.clients.s3.put_object(Bucket=pipeline.stores.bucket, Key=key, Body=version)
        after = broken_promises(seen, pipeline.client_environment)

    assert before == []
    assert after == [f"objects that name an erased customer: too many 1, such as {key}"]


def test_a_log_record_with_a_rows_content_is_found(engine: None) -> None:
    """The finding shows only the text before it."""
    pipeline = Pipeline(2, create_stores("revealing"), _ignore)
    with pipeline.virtual_time():
        seen = run_scenario(pipeline, NO_FAULTS, ["stored 6 x HEART Qzx"])

        assert broken_promises(seen, pipeline.client_environment) == [
            "log records with a row's content: too many 1, such as stored 6 x HEART "
        ]


def _ignore(_line: str) -> None:
    pass
