"""Rows of erased customers leave a record, whatever else is in it, and hostile records cost little."""

import gzip
import json

import pytest

from invoices.batch import pack
from invoices.erasure import erase_rows, is_all_erased, names_customer
from invoices.limits import MAX_BODY_BYTES, MAX_ROWS
from invoices.rows import ERASED_ROW
from tests.invoice_rows import ndjson, row

ERASED = "17850"
HALF_A_PAIR = b'{"CustomerID":"\\ud800"}'
DEEP = b'{"a":' * 600 + b"1" + b"}" * 600


class OneCustomer:
    """17850 is erased."""

    def __init__(self, *, keeps_lines: bool = False) -> None:
        self._keeps_lines = keeps_lines

    def keeps_lines(self, customer_id: str) -> bool | None:
        return self._keeps_lines if customer_id == ERASED else None

    def occurrence(self, line_id: str) -> int:
        return len(line_id)


@pytest.mark.parametrize("strange", [HALF_A_PAIR, DEEP, b"[" * 100_000, b'{"a":' * 5_000, b'{"CustomerID":"\xff"}'])
def test_a_strange_row_hides_no_other_row(strange: bytes) -> None:
    """It names nobody, so it stays as it is, and the customer's row beside it leaves."""
    assert not names_customer(strange, OneCustomer())
    data, rows = erase_rows(pack(b"\n".join([strange, ndjson([row()])])), "batch", OneCustomer())
    assert (gzip.decompress(data), rows) == (b"\n".join([strange, ERASED_ROW]), 1)


@pytest.mark.parametrize(
    "text",
    [
        b'{"CustomerID":"\\ud800 17850"}',
        DEEP.replace(b"1", b"17850"),
        b'{"customer":' + b"[" * 100_000 + b"17850",
        b'{"customer":{"id":"\\u00317850"}}',
        b'{"customer":"\\t17850"}',
        b'{"17850":1}',
        b'{"CustomerID":1.785e4,"CustomerID":null}',
        b"17850",
        '{"CustomerID":"17850"}'.encode("utf-16-le"),
        b"\0" + '{"CustomerID":"17850"}'.encode("utf-16-le"),  # a body is cut at the byte of a line feed
        '{"CustomerID":"17850"}'.encode("utf-16-be"),
    ],
)
def test_a_row_that_is_no_line_names_the_customer(text: bytes) -> None:
    """However it is written."""
    assert names_customer(text, OneCustomer())


@pytest.mark.parametrize("text", [b'{"CustomerID":"117850"}', b'{"StockCode":"17850"}', b'{"customer":"17850-1"}'])
def test_a_row_that_only_looks_like_the_customer_stays(text: bytes) -> None:
    assert not names_customer(text, OneCustomer())


BIG_TEXT = b" " * MAX_BODY_BYTES


@pytest.mark.parametrize("filling", [b"{}\n" * MAX_ROWS, BIG_TEXT, BIG_TEXT + b"x", b"word " * (MAX_BODY_BYTES // 4)])
def test_a_record_beyond_the_limits_is_one_row(filling: bytes) -> None:
    """No consumer stores a row of it, so it is erased as a whole if it names the customer, and else stays."""
    other = pack(filling + json.dumps({**row(), "CustomerID": "13047"}).encode())
    assert erase_rows(other, "batch", OneCustomer()) == (other, 0)
    own, rows = erase_rows(pack(filling + ndjson([row()])), "batch", OneCustomer())
    assert rows == 1
    assert is_all_erased(own)


@pytest.mark.parametrize(
    "data",
    [
        pack(b"x\n" * (MAX_BODY_BYTES // 2)) + pack(b"17850"),
        pack(b"x\n" * (MAX_BODY_BYTES // 2) + b"178") + pack(b"50"),
        pack(ndjson([row()])) + b" and 17850 behind it",
        pack(
            b"17850 "
            + ndjson(
                [row(CustomerID=None)] * 5_000,
            )
        )[:-9]
        + b"broken",
    ],
)
def test_a_record_that_is_broken_is_searched_as_far_as_it_can_be_inflated(data: bytes) -> None:
    """In every member, and behind the last one."""
    assert erase_rows(data, "batch", OneCustomer()) == (pack(ERASED_ROW), 1)


def test_a_kept_row_does_not_become_much_longer() -> None:
    """A batch near the limit of its size can still be read."""
    before = json.dumps(row(Description="\u5546" * 30), ensure_ascii=False).encode()
    data, rows = erase_rows(pack(before), "batch", OneCustomer(keeps_lines=True))
    assert (rows, len(gzip.decompress(data)) <= len(before)) == (1, True)
