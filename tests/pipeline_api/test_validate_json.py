"""The rows of a JSON body become lines of NDJSON, however the JSON is formatted."""

import json

import pytest

from pipeline_api.ingest.batch import validate_json
from tests.invoice_rows import row

ROWS = [row(), row(Description="a}, {b"), row(Description="[},{]", Quantity=2)]
PLAIN = [row(), row(Quantity=2)]


@pytest.mark.parametrize("rows", [ROWS, PLAIN, PLAIN[:1]])
@pytest.mark.parametrize("options", [{}, {"separators": (",", ":")}, {"indent": 2}, {"ensure_ascii": False}])
def test_each_row_becomes_one_line(rows: list[dict[str, object]], options: dict[str, object]) -> None:
    """Also if a value looks like the end of a row, or if a row has line breaks."""
    rows_of_body = validate_json(json.dumps(rows, **options).encode())  # type: ignore[arg-type]  # json's options differ
    assert not any(b"\n" in text for text in rows_of_body.texts)
    assert [json.loads(text)["Description"] for text in rows_of_body.texts] == [each["Description"] for each in rows]


def test_one_object_becomes_one_line() -> None:
    """Without an array around it."""
    text = json.dumps(row()).encode()
    assert validate_json(text).texts == [text]


def test_rows_keep_their_own_bytes() -> None:
    """As in a body of NDJSON."""
    texts = [json.dumps(each).encode() for each in PLAIN]
    assert validate_json(b"[ %b]" % b", ".join(texts)).texts == texts
