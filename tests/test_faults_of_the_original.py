"""One test for each fault of the design that this one replaces, by the fault's name."""

import gzip
import json
from typing import TYPE_CHECKING

import pytest

from tests.client.fake_api import FakeApi
from tests.client.run_client import HEADER, run
from tests.invoice_rows import row
from tests.pipeline_api.api_calls import AS_JSON
from tests.whole_pipeline import WholePipeline

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.slow

ITEM_LIMIT = 400 * 1024


@pytest.fixture
def pipeline(kinesis: "KinesisClient", s3: "S3Client", dynamodb: "DynamoDBClient") -> WholePipeline:
    return WholePipeline(kinesis, s3, dynamodb)


def codes(pipeline: WholePipeline, invoice_no: str) -> list[str]:
    return [line["StockCode"] for line in pipeline.get(f"/invoices/{invoice_no}")["lines"]]


def test_return_inside_the_loop(pipeline: WholePipeline) -> None:
    """Every record of a delivery is worked on, not the first alone."""
    for number in range(5):
        pipeline.post(row(InvoiceNo=str(number)), row(InvoiceNo=str(number), StockCode="POST"))
    pipeline.deliver()
    assert (pipeline.raw_rows(), [len(codes(pipeline, str(number))) for number in range(5)]) == (10, [2] * 5)


def test_state_growing_in_a_warm_container(pipeline: WholePipeline) -> None:
    """The second delivery to the same container archives its own rows, not the first's once more."""
    for number in range(3):
        pipeline.post(row(InvoiceNo=str(number)))
        pipeline.deliver()
    assert (len(pipeline.keys("raw/")), pipeline.raw_rows()) == (3, 3)


def test_two_containers_choosing_one_object_key(pipeline: WholePipeline) -> None:
    """Batches that arrive in the same instant have names of their own."""
    taken = [pipeline.post(row(Quantity=quantity)) for quantity in (1, 2, 3)]
    pipeline.deliver()
    names = sorted(key.rsplit("/")[-1].removesuffix(".ndjson.gz") for key in pipeline.keys("raw/"))
    assert names == sorted(each["batch_id"] for each in taken)


def test_a_retry_doubling_an_object(pipeline: WholePipeline) -> None:
    """The caller repeats a request whose answer was lost, and everything is delivered twice."""
    for _ in range(2):
        pipeline.post(row(), key="order-17")
        pipeline.deliver()
    assert (len(pipeline.records()), pipeline.raw_rows(), codes(pipeline, "536365")) == (2, 1, ["85123A"])


def test_a_constant_partition_key(pipeline: WholePipeline) -> None:
    """Batches spread over all shards: each has a key of its own, its batch id."""
    taken = [pipeline.post(row())["batch_id"] for _ in range(3)]
    assert sorted(record["PartitionKey"] for record in pipeline.records()) == sorted(taken)
    assert len(set(taken)) == 3


def test_a_customers_earlier_invoice_overwritten(pipeline: WholePipeline) -> None:
    """A customer has all invoices, whenever they came."""
    for invoice_no in ("536365", "536366", "536367"):
        pipeline.post(row(InvoiceNo=invoice_no))
        pipeline.deliver()
    page = pipeline.get("/customers/17850/invoices")
    assert [invoice["InvoiceNo"] for invoice in page["invoices"]] == ["536365", "536366", "536367"]


def test_a_repeated_stock_line_overwritten(pipeline: WholePipeline) -> None:
    """One stock code twice on an invoice is two lines, with other content or with the same."""
    pipeline.post(row(Quantity=1), row(Quantity=2), row(Quantity=2, Occurrence=1), row(Quantity=2, Occurrence=2))
    pipeline.deliver()
    assert [line["Quantity"] for line in pipeline.get("/invoices/536365")["lines"]] == [1, 2, 2, 2]


def test_a_cancellation_invoice_that_cannot_be_read(pipeline: WholePipeline) -> None:
    """`C536379` is an invoice, and its total is negative."""
    pipeline.post(row(InvoiceNo="C536379", StockCode="D", Quantity=-1, UnitPrice="27.50"))
    pipeline.deliver()
    assert pipeline.get("/invoices/C536379")["total"] == "-27.50"


def test_a_missing_customer_blocking_the_shard(pipeline: WholePipeline) -> None:
    """Rows without a customer are stored, and those behind them, too."""
    pipeline.post(row(InvoiceNo="1", CustomerID=None), row(InvoiceNo="2", CustomerID=""))
    pipeline.post(row(InvoiceNo="3"))
    assert pipeline.deliver() == [{"batchItemFailures": []}] * 2
    assert [len(codes(pipeline, number)) for number in ("1", "2", "3")] == [1, 1, 1]


def test_a_stock_code_named_invoice_no(pipeline: WholePipeline) -> None:
    """A value can never be taken for the item's own attributes."""
    for code in ("InvoiceNo", "CustomerID", "SliceId"):
        pipeline.post(row(StockCode=code))
    pipeline.deliver()
    assert codes(pipeline, "536365") == ["CustomerID", "InvoiceNo", "SliceId"]


@pytest.mark.parametrize("query", ["/invoices?InvoiceNo=536365", "/customers?CustomerID=17850"])
def test_one_query_parameter_given(pipeline: WholePipeline, query: str) -> None:
    """Each query needs one parameter and no other."""
    pipeline.post(row())
    pipeline.deliver()
    assert pipeline.get(query)["total"] == "15.30"


@pytest.mark.parametrize("path", ["/invoices/1", "/invoices?InvoiceNo=1", "/customers/1", "/customers/1/invoices"])
def test_an_unknown_key(pipeline: WholePipeline, path: str) -> None:
    """404, not an empty answer and not a server error."""
    assert pipeline.api.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/invoices", "/customers", "/invoices?InvoiceNo=", "/customers?InvoiceNo=1"])
def test_no_parameter(pipeline: WholePipeline, path: str) -> None:
    """422 that names what is missing, not a server error."""
    answer = pipeline.api.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


@pytest.mark.parametrize("body", [b"{}", b'"garbage"', b"5", b"[]", b"null", b"{", b"", b"[{}]"])
def test_any_body_accepted_with_200(pipeline: WholePipeline, body: bytes) -> None:
    """What holds no row is refused, and nothing goes on the stream."""
    assert pipeline.api.ingest(body, AS_JSON).status_code in {400, 422}
    assert pipeline.records() == []


def test_money_as_float(pipeline: WholePipeline) -> None:
    """Three times 0.10 is 0.30, and a price comes back as it was written."""
    pipeline.post(*[row(UnitPrice=0.1, Quantity=1)] * 3)
    pipeline.post(row(UnitPrice="38970.123456", Quantity=1, InvoiceNo="2"))
    pipeline.deliver()
    assert pipeline.get("/invoices/536365")["total"] == "0.30"
    assert pipeline.get("/invoices/2")["lines"][0]["UnitPrice"] == "38970.123456"


def test_a_latin_1_csv(tmp_path: "Path") -> None:
    """The data set is cp1252: a pound sign is a pound sign."""
    file = tmp_path / "rows.csv"
    text = f"{HEADER}\r\n536365,1,SET OF 3 £ TINS,6,12/1/2010 8:26,2.55,17850,EIRE\r\n"
    file.write_bytes(text.encode("cp1252"))
    api = FakeApi()
    assert run(api, "send", file).exit_code == 0
    assert json.loads(gzip.decompress(api.requests[0].content))["Description"] == "SET OF 3 £ TINS"


def test_a_customer_growing_towards_400_kb(pipeline: WholePipeline) -> None:
    """No item grows: a customer is as many small pointers as there are slices."""
    for start in range(0, 600, 200):
        pipeline.post(*[row(InvoiceNo=str(100_000 + number)) for number in range(start, start + 200)])
    pipeline.deliver()
    items = pipeline.dynamodb.query(
        TableName="customers",
        KeyConditionExpression="CustomerID = :id",
        ExpressionAttributeValues={":id": {"S": "17850"}},
    )["Items"]
    assert (len(items), max(len(json.dumps(item)) for item in items) < ITEM_LIMIT / 1000) == (600, True)
    assert pipeline.get("/customers/17850")["invoice_count"] == 600
