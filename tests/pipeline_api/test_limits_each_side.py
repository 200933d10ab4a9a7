"""Sizes at each limit, one below and one above: accepted, or rejected with a reason, but never an internal error."""

import gzip
import random
from collections.abc import Sequence

import pytest

from invoices.limits import MAX_BODY_BYTES, MAX_RECORD_BYTES, MAX_ROW_BYTES, MAX_ROWS
from tests.invoice_rows import Row, ndjson, row
from tests.pipeline_api.api_calls import AS_NDJSON, GZIP, Api

AROUND = (-1, 0, 1)
ROW = ndjson([row()])
_FIELDS = {"InvoiceNo": 40, "StockCode": 60, "Description": 500, "CustomerID": 40, "Country": 60}


def random_bytes(size: int) -> bytes:
    """Gzip cannot compress them."""
    return random.Random(size).randbytes(size)  # noqa: S311 - the same in each run


def packed_to(size: int) -> bytes:
    """A gzip body of exactly `size` bytes with valid rows: a long file name in its header fills it up."""
    texts = random.Random(1)  # noqa: S311 - the same in each run
    rows: list[Row] = [row(Description=texts.randbytes(249).hex(), Occurrence=n + 1) for n in range(3_300)]
    body = gzip.compress(ndjson(rows), mtime=0)
    name = b"n" * (size - len(body) - 1)
    return body[:3] + b"\x08" + body[4:10] + name + b"\0" + body[10:]


@pytest.mark.parametrize("more", AROUND)
@pytest.mark.parametrize("headers", [(AS_NDJSON,), (AS_NDJSON, GZIP)])
def test_around_the_limit_of_a_body(more: int, headers: Sequence[dict[str, str]], offline_api: Api) -> None:
    """Before and after decompression."""
    body = ROW + b" " * (MAX_BODY_BYTES + more - len(ROW))
    sent = gzip.compress(body) if GZIP in headers else body

    assert offline_api.ingest(sent, *headers).status_code == (413 if more > 0 else 202)


@pytest.mark.parametrize("more", AROUND)
def test_around_the_limit_of_a_body_that_is_not_gzip(more: int, offline_api: Api) -> None:
    """It is too large before decompression, or it is not gzip. It is never an internal error."""
    answer = offline_api.ingest(random_bytes(MAX_BODY_BYTES + more), AS_NDJSON, GZIP)

    assert answer.status_code == (413 if more > 0 else 400)


@pytest.mark.parametrize("more", AROUND)
def test_around_the_limit_of_a_record(more: int, offline_api: Api) -> None:
    """One byte above the limit, the rows are compressed again, and then they fit."""
    body = packed_to(MAX_RECORD_BYTES + more)

    assert len(body) == MAX_RECORD_BYTES + more
    assert offline_api.ingest(body, AS_NDJSON, GZIP).status_code == 202


@pytest.mark.parametrize("more", AROUND)
def test_around_the_limit_of_rows(more: int, offline_api: Api) -> None:
    """A batch has at most 10,000 rows."""
    body = b"\n".join([ROW] * (MAX_ROWS + more))

    assert offline_api.ingest(body, AS_NDJSON).status_code == (413 if more > 0 else 202)


@pytest.mark.parametrize("more", AROUND)
def test_around_the_limit_of_a_row(more: int, offline_api: Api) -> None:
    """The other row is invalid, so that each row is validated by itself."""
    long = ROW[:-1] + b" " * (MAX_ROW_BYTES + more - len(ROW)) + b"}"
    answer = offline_api.ingest(long + b"\n{}", AS_NDJSON)

    assert answer.status_code == (422 if more > 0 else 202)


@pytest.mark.parametrize("more", AROUND)
@pytest.mark.parametrize(("field", "most"), _FIELDS.items())
def test_around_the_longest_text_of_a_field(field: str, most: int, more: int, offline_api: Api) -> None:
    """One character more is rejected, and the error names the field."""
    answer = offline_api.ingest(ndjson([row(**{field: "a" * (most + more)})]), AS_NDJSON)

    assert answer.status_code == (422 if more > 0 else 202)
    assert [error["field"] for error in answer.json()["errors"]] == ([field] if more > 0 else [])


@pytest.mark.parametrize(("key", "status"), [("k" * 63, 202), ("k" * 64, 202), ("k" * 65, 400)])
def test_around_the_longest_batch_id(key: str, status: int, offline_api: Api) -> None:
    """It must fit into the key of an object."""
    assert offline_api.ingest(ROW, AS_NDJSON, {"Idempotency-Key": key}).status_code == status


@pytest.mark.parametrize("digits", [8, 9, 10])
@pytest.mark.parametrize("field", ["Quantity", "UnitPrice"])
def test_around_the_largest_numbers(field: str, digits: int, offline_api: Api) -> None:
    """A number has at most nine digits before the point."""
    answer = offline_api.ingest(ndjson([row(**{field: "9" * digits})]), AS_NDJSON)

    assert answer.status_code == (202 if digits <= 9 else 422)
