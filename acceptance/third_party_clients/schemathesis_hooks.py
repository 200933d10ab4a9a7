"""What schemathesis cannot learn from an OpenAPI 3.1 document."""  # noqa: INP001 - a file that it loads by name

import json
import re
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import schemathesis

NDJSON = "application/x-ndjson"
MOST_DECIMALS = -6


@schemathesis.hook
def before_load_schema(_context: Any, raw_schema: dict[str, Any]) -> None:
    """NDJSON is a list of rows, written otherwise."""
    line = {"$ref": "#/components/schemas/Line"}
    content = raw_schema["paths"]["/ingest"]["post"]["requestBody"]["content"]
    content[NDJSON] = {"schema": {"type": "array", "items": line, "minItems": 1}}


@schemathesis.serializer(NDJSON)
def as_ndjson(_context: Any, value: Any) -> bytes:
    rows = value if isinstance(value, list) else [value]
    return b"\n".join(json.dumps(row).encode() for row in rows)


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: dict[str, Any]) -> None:
    """No schema says that a statement about a line needs Occurrence. No filter sees every case, so it is added here."""
    rows = case.body if isinstance(case.body, list) else [case.body]
    for row in rows:
        if isinstance(row, dict) and (row.get("AsOf") or row.get("Withdrawn")) and row.get("Occurrence") is None:
            row["Occurrence"] = 1


@schemathesis.hook
def filter_body(_context: Any, body: Any) -> bool:
    """One row each: of many, one that is good makes the answer a 202 that names the bad ones."""
    rows = body if isinstance(body, list) else [body]
    return len(rows) <= 1 and all(_can_be_said(row) for row in rows if isinstance(row, dict))


def _can_be_said(row: dict[str, Any]) -> bool:
    """No schema says how many decimals a number may have, or which days a month has."""
    price, date = row.get("UnitPrice"), row.get("InvoiceDate")
    if isinstance(price, float) and Decimal(repr(price)).normalize().as_tuple().exponent < MOST_DECIMALS:
        return False
    return not isinstance(date, str) or not re.match(r"\d", date) or _is_in_the_calendar(date)


def _is_in_the_calendar(text: str) -> bool:
    with suppress(ValueError, OverflowError):
        datetime.fromisoformat(text).astimezone(UTC)
        return True
    day = text.partition(" ")[0]
    with suppress(ValueError):
        datetime.strptime(day, "%m/%d/%Y")  # noqa: DTZ007 - a day has no zone
        return True
    return False
