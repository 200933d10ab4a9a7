"""A JSON array becomes NDJSON, whatever it looks like."""

import json

import pytest

from pipeline_api.ingest.batch import validate_json
from tests.invoice_rows import row

ROWS = [row(), row(Description="a}, {b"), row(Description="[},{]", Quantity=2)]
PLAIN = [row(), row(Quantity=2)]


@pytest.mark.parametrize("rows", [ROWS, PLAIN, PLAIN[:1]])
@pytest.mark.parametrize("options", [{}, {"separators": (",", ":")}, {"indent": 2}, {"ensure_ascii": False}])
def test_each_row_is_a_line(rows: list[dict[str, object]], options: dict[str, object]) -> None:
    """Also with what separates rows inside a text, and with line breaks inside a row."""
    checked = validate_json(json.dumps(rows, **options).encode())  # type: ignore[arg-type]  # json's options differ
    assert not any(b"\n" in text for text in checked.texts)
    assert [json.loads(text)["Description"] for text in checked.texts] == [each["Description"] for each in rows]


def test_one_object_is_one_line() -> None:
    """Without an array around it."""
    text = json.dumps(row()).encode()
    assert validate_json(text).texts == [text]


def test_rows_keep_their_own_bytes() -> None:
    """As they do in a body of NDJSON."""
    texts = [json.dumps(each).encode() for each in PLAIN]
    assert validate_json(b"[ %b]" % b", ".join(texts)).texts == texts
