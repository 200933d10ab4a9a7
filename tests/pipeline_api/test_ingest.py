"""POST /ingest accepts one row or many and puts one record on the stream."""

import gzip
import json
from uuid import UUID

import pytest

from invoices.batch import unpack
from invoices.rows import read_ndjson
from tests.invoice_rows import ndjson, row, without
from tests.pipeline_api.api_calls import AS_JSON, AS_NDJSON, GZIP, Api, Headers
from tests.pipeline_api.conftest import Records

KEY = {"Idempotency-Key": "batch-1"}
TWO_ROWS = [row(), row(StockCode="71053")]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (json.dumps(row()).encode(), AS_JSON),
        (json.dumps([row()], indent=2).encode(), AS_JSON),
        (json.dumps(row(), indent=2).encode(), AS_JSON),
        (ndjson([row()]), AS_NDJSON),
        (ndjson([row()]) + b"\r\n\n", AS_NDJSON),
        (gzip.compress(json.dumps(row()).encode(), mtime=0), {**AS_JSON, **GZIP}),
        (gzip.compress(ndjson([row()]), mtime=0), {**AS_NDJSON, **GZIP}),
        (ndjson([row()]), {**AS_NDJSON, "Content-Encoding": "identity"}),
        (b"\xef\xbb\xbf" + json.dumps(row()).encode(), AS_JSON),
        (b"\xef\xbb\xbf" + ndjson([row()]), AS_NDJSON),
        (json.dumps(row()).encode(), {"Content-Type": 'Application/JSON; charset="UTF-8"'}),
    ],
)
def test_every_form_of_body_gives_the_same_line(body: bytes, headers: Headers, api: Api, records: Records) -> None:
    """Object, array and NDJSON; plain and gzip; with and without a byte order mark."""
    answer = api.ingest(body, headers, KEY)
    assert (answer.status_code, answer.json()) == (
        202,
        {"batch_id": "batch-1", "accepted": 1, "rejected": 0, "errors": []},
    )
    [(partition_key, data)] = records()
    assert partition_key == "batch-1"
    assert read_ndjson(unpack(data, 10_000)).lines == read_ndjson(ndjson([row()])).lines


def test_valid_gzip_ndjson_is_forwarded_byte_for_byte(api: Api, records: Records) -> None:
    """The stream carries the bytes that the client sent."""
    body = gzip.compress(ndjson(TWO_ROWS), 9, mtime=12345)
    api.ingest(body, AS_NDJSON, GZIP, KEY)
    assert records() == [("batch-1", body)]


def test_ndjson_rows_keep_their_own_bytes(api: Api, records: Records) -> None:
    """Only rejected rows and blank lines are removed."""
    first, second = ndjson([row(UnitPrice=2.50)]), ndjson([row(Quantity="6")])
    api.ingest(b"\n".join([first, b"{}", b"", second]), AS_NDJSON)
    [(_, data)] = records()
    assert unpack(data, 10_000) == first + b"\n" + second


@pytest.mark.parametrize("headers", [AS_JSON, AS_NDJSON])
def test_the_same_body_always_gives_the_same_record(headers: Headers, api: Api, records: Records) -> None:
    """So a retry with the same key is the same batch."""
    body = ndjson([row()])
    api.ingest(body, headers, KEY)
    api.ingest(body, headers, KEY)
    first, second = records()
    assert first == second


@pytest.mark.parametrize("headers", [AS_JSON, AS_NDJSON])
def test_an_invalid_row_is_listed_and_the_others_are_accepted(headers: Headers, api: Api, records: Records) -> None:
    """Each rejected row is listed with its index, field and rule."""
    rows = [row(), without("Country"), row(Quantity=True), row(StockCode="71053")]
    body = json.dumps(rows).encode() if headers == AS_JSON else ndjson(rows)
    assert api.ingest(body, headers, KEY).json() == {
        "batch_id": "batch-1",
        "accepted": 2,
        "rejected": 2,
        "errors": [
            {"index": 1, "field": "Country", "message": "is missing"},
            {"index": 2, "field": "Quantity", "message": "must be a whole number of at most 9 digits"},
        ],
    }
    [(_, data)] = records()
    assert read_ndjson(unpack(data, 10_000)).lines == read_ndjson(ndjson(TWO_ROWS)).lines


def test_a_row_with_a_repeated_name_is_rejected_in_an_array_too(api: Api) -> None:
    """A JSON parser keeps only the last value, so the other one would be lost silently."""
    twice = json.dumps(row()).encode()[:-1] + b', "Quantity" : 7}'
    body = b"[" + json.dumps(row()).encode() + b"," + twice + b"]"
    assert api.ingest(body, AS_JSON).json()["errors"] == [
        {"index": 1, "field": "Quantity", "message": "is named twice"}
    ]


def test_a_batch_without_a_key_gets_a_uuid_with_its_time(api: Api, records: Records) -> None:
    """The response and the record have the same id."""
    batch_id = api.ingest(ndjson([row()]), AS_NDJSON).json()["batch_id"]
    assert UUID(batch_id).version == 7
    assert [key for key, _ in records()] == [batch_id]


def test_two_batches_without_a_key_never_share_an_id(api: Api) -> None:
    """So two containers never write the same raw object."""
    names = {api.ingest(ndjson([row()]), AS_NDJSON).json()["batch_id"] for _ in range(20)}
    assert len(names) == 20


@pytest.mark.parametrize("key", ["", "../etc/passwd", "a" * 65, "white space", "-first"])
def test_a_key_that_cannot_be_an_object_name_is_rejected(key: str, api: Api, records: Records) -> None:
    """The problem has the rule, but not the key."""
    answer = api.ingest(ndjson([row()]), AS_NDJSON, {"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["detail"]) == (
        400,
        "A batch id is 1 to 64 letters, digits, '.', '_' or '-', and starts with a letter or digit.",
    )
    assert records() == []
