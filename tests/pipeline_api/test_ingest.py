"""POST /ingest takes one row or many and makes one record of them."""

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
def test_every_form_of_body_brings_the_same_line(body: bytes, headers: Headers, api: Api, records: Records) -> None:
    """Object, array and NDJSON, plain and gzipped, with and without a byte order mark."""
    answer = api.ingest(body, headers, KEY)
    assert (answer.status_code, answer.json()) == (
        202,
        {"batch_id": "batch-1", "accepted": 1, "rejected": 0, "errors": []},
    )
    [(partition_key, data)] = records()
    assert partition_key == "batch-1"
    assert read_ndjson(unpack(data, 10_000)).lines == read_ndjson(ndjson([row()])).lines


def test_valid_gzip_ndjson_is_forwarded_byte_for_byte(api: Api, records: Records) -> None:
    """What the client packed is what the stream carries."""
    body = gzip.compress(ndjson(TWO_ROWS), 9, mtime=12345)
    api.ingest(body, AS_NDJSON, GZIP, KEY)
    assert records() == [("batch-1", body)]


def test_rows_of_ndjson_keep_their_own_bytes(api: Api, records: Records) -> None:
    """Only refused and blank rows are taken out."""
    first, second = ndjson([row(UnitPrice=2.50)]), ndjson([row(Quantity="6")])
    api.ingest(b"\n".join([first, b"{}", b"", second]), AS_NDJSON)
    [(_, data)] = records()
    assert unpack(data, 10_000) == first + b"\n" + second


@pytest.mark.parametrize("headers", [AS_JSON, AS_NDJSON])
def test_the_same_body_always_makes_the_same_record(headers: Headers, api: Api, records: Records) -> None:
    """So a retry under the same key is the same batch."""
    body = ndjson([row()])
    api.ingest(body, headers, KEY)
    api.ingest(body, headers, KEY)
    first, second = records()
    assert first == second


@pytest.mark.parametrize("headers", [AS_JSON, AS_NDJSON])
def test_a_bad_row_is_named_and_takes_no_neighbour_with_it(headers: Headers, api: Api, records: Records) -> None:
    """Index, field and rule of each refused row; the rest is taken."""
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


def test_a_name_given_twice_is_refused_in_an_array_too(api: Api) -> None:
    """JSON readers keep the last one in silence; whichever was meant, the other would be lost."""
    twice = json.dumps(row()).encode()[:-1] + b', "Quantity" : 7}'
    body = b"[" + json.dumps(row()).encode() + b"," + twice + b"]"
    assert api.ingest(body, AS_JSON).json()["errors"] == [
        {"index": 1, "field": "Quantity", "message": "is named twice"}
    ]


def test_a_batch_without_a_key_gets_a_uuid_with_its_time(api: Api, records: Records) -> None:
    """It names the answer and the record alike."""
    batch_id = api.ingest(ndjson([row()]), AS_NDJSON).json()["batch_id"]
    assert UUID(batch_id).version == 7
    assert [key for key, _ in records()] == [batch_id]


def test_two_batches_without_a_key_never_share_a_name(api: Api) -> None:
    """Two containers cannot choose one object."""
    names = {api.ingest(ndjson([row()]), AS_NDJSON).json()["batch_id"] for _ in range(20)}
    assert len(names) == 20


@pytest.mark.parametrize("key", ["", "../etc/passwd", "a" * 65, "white space", "-first"])
def test_a_key_that_cannot_name_an_object_is_refused(key: str, api: Api, records: Records) -> None:
    """The answer tells the rule and not the key."""
    answer = api.ingest(ndjson([row()]), AS_NDJSON, {"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["detail"]) == (
        400,
        "A batch id is 1 to 64 letters, digits, '.', '_' or '-', and starts with a letter or digit.",
    )
    assert records() == []
