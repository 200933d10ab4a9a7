"""The header decides whether a file can be sent."""

import pytest

from client.columns import COLUMNS
from client.errors import BadInput
from client.reader import read_header


def _header(*names: str) -> bytes:
    return ",".join(names).encode()


def test_columns_come_in_any_order() -> None:
    """The file's own order is kept."""
    assert read_header(_header(*reversed(COLUMNS))) == tuple(reversed(COLUMNS))


def test_quoted_names_are_names() -> None:
    """A header may be quoted as any row may."""
    assert read_header(b'"' + b'","'.join(name.encode() for name in COLUMNS) + b'"') == COLUMNS


def test_every_fault_is_named_at_once() -> None:
    """One message is enough to mend the header."""
    with pytest.raises(BadInput) as error:
        read_header(_header("InvoiceNo", "InvoiceNo", "Stockcode", *COLUMNS[2:7], "Region"))
    message = str(error.value)
    assert "StockCode is missing; Country is missing" in message
    assert "'Stockcode' is unknown (did you mean StockCode?); 'Region' is unknown" in message
    assert "InvoiceNo is there 2 times" in message


def test_a_row_instead_of_a_header_is_not_shown() -> None:
    """A file without a header has a customer's data on its first line."""
    with pytest.raises(BadInput, match="first line names none") as error:
        read_header(b"536365,85123A,SECRET,6,12/1/2010 8:26,2.55,17850,United Kingdom")
    assert "SECRET" not in str(error.value)


@pytest.mark.parametrize(("separator", "name"), [(";", "semicolons"), ("\t", "tabs")])
def test_another_separator_is_named(separator: str, name: str) -> None:
    """The most common reason for a header that does not fit."""
    with pytest.raises(BadInput, match=f"separated by {name}"):
        read_header(separator.join(COLUMNS).encode())


def test_a_row_that_runs_into_the_header_is_not_shown() -> None:
    """A file whose lines end with carriage returns alone is one line."""
    line = (",".join(COLUMNS) + "\r536365,85A,desc,6,12/1/2010 8:26,2.55,17850,EIRE").encode()
    with pytest.raises(BadInput, match="carriage return") as caught:
        read_header(line)
    assert "17850" not in str(caught.value)


def test_a_value_beside_missing_columns_is_not_shown() -> None:
    """Only its place is: it may be no name."""
    with pytest.raises(BadInput, match="column 3 is unknown") as caught:
        read_header(b"InvoiceNo,StockCode,17850")
    assert "17850" not in str(caught.value)
