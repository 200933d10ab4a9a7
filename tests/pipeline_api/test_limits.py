"""Sizes at each limit, and one above it."""

import gzip
import json
import random
from collections.abc import AsyncIterator

import pytest

from invoices.batch import unpack
from invoices.limits import MAX_BODY_BYTES, MAX_RECORD_BYTES, MAX_ROW_BYTES, MAX_ROWS
from tests.invoice_rows import ndjson, row
from tests.pipeline_api.api_calls import AS_JSON, AS_NDJSON, GZIP, Api, Headers
from tests.pipeline_api.fake_kinesis import PutRecord

ROW = ndjson([row()])


@pytest.mark.parametrize(("size", "status"), [(MAX_BODY_BYTES, 202), (MAX_BODY_BYTES + 1, 413)])
@pytest.mark.parametrize("headers", [AS_JSON, {**AS_JSON, **GZIP}])
def test_a_body_may_be_as_large_as_the_limit(size: int, status: int, headers: Headers, offline_api: Api) -> None:
    """The limit applies before and after decompression."""
    body = ROW + b" " * (size - len(ROW))
    assert (
        offline_api.ingest(gzip.compress(body) if GZIP.items() <= headers.items() else body, headers).status_code
        == status
    )


@pytest.mark.parametrize(("size", "status"), [(MAX_BODY_BYTES, 202), (MAX_BODY_BYTES + 1, 413)])
def test_a_body_of_unknown_length_may_be_as_large_as_the_limit(size: int, status: int, offline_api: Api) -> None:
    """A chunked body has no Content-Length, so its bytes are counted while they are read."""

    async def chunks() -> AsyncIterator[bytes]:
        yield ROW
        yield b" " * (size - len(ROW))

    assert offline_api.call("POST", "/ingest", content=chunks(), headers=dict(AS_JSON)).status_code == status


@pytest.mark.parametrize(("rows", "status"), [(MAX_ROWS, 202), (MAX_ROWS + 1, 413)])
@pytest.mark.parametrize("headers", [AS_JSON, AS_NDJSON])
def test_a_batch_may_have_as_many_rows_as_the_limit(rows: int, status: int, headers: Headers, offline_api: Api) -> None:
    """10,000 rows, as JSON or NDJSON."""
    body = b"[" + b",".join([ROW] * rows) + b"]" if headers == AS_JSON else b"\n".join([ROW] * rows)
    assert offline_api.ingest(body, headers).status_code == status


@pytest.mark.parametrize(("size", "rejected"), [(MAX_ROW_BYTES, 1), (MAX_ROW_BYTES + 1, 2)])
def test_a_row_may_be_as_long_as_the_limit(size: int, rejected: int, offline_api: Api) -> None:
    """The other rows are accepted. The empty row makes sure that each row is validated by itself."""
    long = ROW[:-1] + b" " * (size - len(ROW)) + b"}"
    answer = offline_api.ingest(b"\n".join([ROW, long, b"{}"]), AS_NDJSON).json()
    assert (answer["accepted"], answer["rejected"]) == (3 - rejected, rejected)


def incompressible(rows: int) -> bytes:
    texts = random.Random(0)  # noqa: S311 - the same rows in each run
    return ndjson([row(Description=texts.randbytes(250).hex(), Occurrence=n + 1) for n in range(rows)])


def test_a_batch_that_is_too_large_for_a_record_is_rejected(offline_api: Api, put_records: list[PutRecord]) -> None:
    """A record has at most 1 MiB; the problem says so."""
    answer = offline_api.ingest(incompressible(5_000), AS_NDJSON)
    assert answer.status_code == 413
    assert answer.json()["detail"].startswith("The packed batch is too large: ")
    assert answer.json()["detail"].endswith(f"the limit is {MAX_RECORD_BYTES:,} bytes.")
    assert put_records == []


def test_a_badly_compressed_body_is_compressed_again(offline_api: Api, put_records: list[PutRecord]) -> None:
    """It may be too large for a record as it arrives, and small enough after our compression."""
    rows = b"\n".join([ROW] * 8_000)
    assert offline_api.ingest(gzip.compress(rows, 0), AS_NDJSON, GZIP).status_code == 202
    [(_, data)] = put_records
    assert unpack(data, MAX_BODY_BYTES) == rows


def test_a_response_that_lists_every_row_fits_into_a_response_of_lambda(offline_api: Api) -> None:
    """10,000 rows have four errors each, with the longest messages. Lambda escapes the text once more."""
    worst = json.dumps(row(InvoiceDate="", UnitPrice="", Description=0, StockCode="", Country="")).encode()
    answer = offline_api.ingest(b"\n".join([worst] * MAX_ROWS), AS_NDJSON)
    assert len(answer.json()["errors"]) == 4 * MAX_ROWS
    assert len(json.dumps({"body": answer.text})) < 6_291_556
