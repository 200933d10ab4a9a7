"""Bodies without a valid row: each gets a clear problem, reaches no stream and is not repeated to the caller."""

import gzip
import json
from collections.abc import Mapping

import pytest

from invoices.limits import MAX_BODY_BYTES, MAX_ROWS
from pipeline_api.ingest.batch import NDJSON
from tests.invoice_rows import ndjson, row
from tests.pipeline_api.api_calls import AS_JSON, AS_NDJSON, GZIP, Api, Headers
from tests.pipeline_api.fake_kinesis import PutRecord

VALUE = "Jane-Doe-4711"  # a caller's value
ROW = json.dumps(row(Description=VALUE)).encode()
TWICE = ROW[:-1] + b', "Quantity": 7}'

MALFORMED: Mapping[str, tuple[bytes, Headers]] = {
    "no body": (b"", AS_JSON),
    "blanks only": (b" \n ", AS_JSON),
    "nothing, gzipped": (gzip.compress(b""), {**AS_NDJSON, **GZIP}),
    "broken JSON": (b'{"InvoiceNo": "' + VALUE.encode(), AS_JSON),
    "broken array": (b"[" + ROW + b",", AS_JSON),
    "array without its closing bracket": (b"[" + ROW, AS_JSON),
    "array whose first object has no opening brace": (b"[" + ROW[1:] + b"]", AS_JSON),
    "array whose last object has no closing brace": (b"[" + ROW[:-1] + b"]", AS_JSON),
    "opening bracket only": (b"[", AS_JSON),
    "array of one opening brace": (b"[{]", AS_JSON),
    "array with an extra comma": (b"[" + ROW + b",]", AS_JSON),
    "array without commas": (b"[" + ROW + ROW + b"]", AS_JSON),
    "two values": (ROW + ROW, AS_JSON),
    "two rows without brackets": (ROW + b"," + ROW, AS_JSON),
    "text after the array": (b"[" + ROW + b"]" + VALUE.encode(), AS_JSON),
    "not UTF-8": (ROW.replace(b"Jane", b"J\xe4ne"), AS_JSON),
    "raw NUL": (ROW.replace(b"Jane", b"J\x00ne"), AS_JSON),
    "deep arrays": (b"[" * 1_000_000, AS_JSON),
    "deep objects": (b'{"a":' * 500_000, AS_JSON),
    "not gzip": (ROW, {**AS_JSON, **GZIP}),
    "gzip without its end": (gzip.compress(ROW)[:-9], {**AS_NDJSON, **GZIP}),
    "text after the gzip data": (gzip.compress(ROW) + VALUE.encode(), {**AS_NDJSON, **GZIP}),
    "200,000 gzip members": (gzip.compress(b"") * 200_000, {**AS_NDJSON, **GZIP}),
}
TOO_LARGE: Mapping[str, tuple[bytes, Headers]] = {
    "10 MB of rows": ((ROW + b"\n") * (10_000_000 // len(ROW)), AS_NDJSON),
    "1 MiB field": (json.dumps(row(Description=VALUE * 80_000)).encode(), AS_JSON),
    "300,000 unknown names": (b"{" + b",".join(b'"a%d":0' % n for n in range(300_000)) + b"}", AS_JSON),
    "gzip bomb": (gzip.compress(b"0" * 50_000_000), {**AS_JSON, **GZIP}),
    "rows beyond the limit": (b"\n".join([b"{}"] * (MAX_ROWS + 1)), AS_NDJSON),
    "elements beyond the limit": (b"[" + b",".join([b"{}"] * (MAX_ROWS + 1)) + b"]", AS_JSON),
    "two million numbers": (b"[" + b"0," * 2_000_000 + b"0]", AS_JSON),
}
UNSUPPORTED: Mapping[str, tuple[bytes, Headers]] = {
    "no content type": (ROW, {}),
    "a form": (ROW, {"Content-Type": "application/x-www-form-urlencoded"}),
    "CSV": (ROW, {"Content-Type": "text/csv"}),
    "latin-1": (ROW, {"Content-Type": "application/json; charset=iso-8859-1"}),
    "brotli": (ROW, {**AS_JSON, "Content-Encoding": "br"}),
    "gzip twice": (ROW, {**AS_JSON, "Content-Encoding": "gzip, gzip"}),
}
NO_ROW: Mapping[str, tuple[bytes, Headers]] = {
    "empty object": (b"{}", AS_JSON),
    "text": (json.dumps(VALUE).encode(), AS_JSON),
    "number": (b"4711", AS_JSON),
    "null": (b"null", AS_JSON),
    "empty array": (b"[]", AS_JSON),
    "array of arrays": (b"[[],[[]]]", AS_JSON),
    "garbage as NDJSON": (VALUE.encode(), AS_NDJSON),
    "blank lines": (b"\n\n", AS_NDJSON),
    "repeated name": (TWICE, AS_JSON),
    "NUL in a field": (ROW.replace(b"Jane", b"\\u0000"), AS_JSON),
    "lone surrogate": (ROW.replace(b"Jane", b"\\ud800"), AS_JSON),
    "line break in an id": (json.dumps(row(InvoiceNo=f"{VALUE}\n")).encode(), AS_JSON),
    "line break in a country": (json.dumps(row(Country=f"{VALUE}\n")).encode(), AS_NDJSON),
    "1 MiB field as NDJSON": (json.dumps(row(Description=VALUE * 80_000)).encode(), AS_NDJSON),
    "an unknown name": (json.dumps(row(**{f"{VALUE} {VALUE}": 1})).encode(), AS_JSON),
    "not a number": (ROW.replace(b'"2.55"', b"NaN"), AS_JSON),
    "an endless number": (ROW.replace(b'"2.55"', b"1" * 60_000), AS_JSON),
    "nested in a row": (ROW.replace(b'"2.55"', b"[" * 5_000 + b"]" * 5_000), AS_NDJSON),
}
CASES = [
    pytest.param((status, f"urn:invoice-stream:problem:{kind}"), *case, id=name)
    for status, kind, cases in [
        (400, "malformed", MALFORMED),
        (413, "too-large", TOO_LARGE),
        (415, "unsupported-media-type", UNSUPPORTED),
        (422, "invalid-rows", NO_ROW),
    ]
    for name, case in cases.items()
]


@pytest.mark.parametrize(("expected", "body", "headers"), CASES)
def test_a_bad_body_gets_a_problem(
    expected: tuple[int, str], body: bytes, headers: Headers, offline_api: Api, put_records: list[PutRecord]
) -> None:
    """The problem names the kind of mistake. It repeats nothing of the body, and nothing is put on the stream."""
    answer = offline_api.ingest(body, headers)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (answer.json()["status"], answer.json()["type"]) == expected == (answer.status_code, expected[1])
    assert VALUE not in answer.text
    assert put_records == []


@pytest.mark.parametrize(("body", "headers"), [NO_ROW["number"], NO_ROW["text"], NO_ROW["garbage as NDJSON"]])
def test_a_body_that_is_not_an_object_is_an_error_of_row_0(body: bytes, headers: Headers, offline_api: Api) -> None:
    """The error names the row, whatever the row is."""
    [error] = offline_api.ingest(body, headers).json()["errors"]
    assert (error["index"], error["field"]) == (0, None)


def test_a_too_large_body_gets_both_sizes(offline_api: Api) -> None:
    """The API compares Content-Length before it reads the body."""
    answer = offline_api.ingest(b"0" * (MAX_BODY_BYTES + 1), AS_NDJSON)
    assert answer.json()["detail"] == "The body is too large: 4,194,305 bytes, and the limit is 4,194,304 bytes."


@pytest.mark.parametrize("length", [b"7" * 5_000, b"-1", b"many", b"\xb2"])
def test_an_invalid_content_length_is_not_an_internal_error(length: bytes, offline_api: Api) -> None:
    """The API counts the bytes that arrive in any case."""
    headers = [(b"Content-Type", NDJSON.encode()), (b"Content-Length", length)]
    answer = offline_api.call("POST", "/ingest", content=ndjson([row()]), headers=headers)
    assert answer.status_code in (202, 413)
