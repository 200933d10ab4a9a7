"""The header decides whether a file can be sent."""

import pytest

from client.columns import COLUMNS
from client.errors import BadInput
from client.header import Header, HeaderSettings, parse_renames, read_header


def _header(*names: str) -> bytes:
    return ",".join(names).encode()


def test_columns_come_in_any_order() -> None:
    """The file's own order is kept."""
    assert read_header(_header(*reversed(COLUMNS))) == Header(tuple(reversed(COLUMNS)))


def test_quoted_names_are_names() -> None:
    """A header may be quoted as any row may."""
    assert read_header(b'"' + b'","'.join(name.encode() for name in COLUMNS) + b'"').columns == COLUMNS


def test_every_fault_is_named_at_once() -> None:
    """One message is enough to mend the header."""
    with pytest.raises(BadInput) as error:
        read_header(_header("InvoiceNo", "InvoiceNo", "Stockkode", *COLUMNS[2:7], "Region"))
    message = str(error.value)
    assert "StockCode is missing; Country is missing" in message
    assert "'Stockkode' is unknown (did you mean StockCode?); 'Region' is unknown" in message
    assert "InvoiceNo is there 2 times" in message
    assert "--ignore-unknown" in message


def test_a_row_instead_of_a_header_is_not_shown() -> None:
    """A file without a header has a customer's data on its first line."""
    with pytest.raises(BadInput, match="first line names none") as error:
        read_header(b"536365,85123A,SECRET,6,12/1/2010 8:26,2.55,17850,United Kingdom")
    assert "SECRET" not in str(error.value)


@pytest.mark.parametrize("separator", [";", "\t", ","])
def test_the_separator_is_found_out(separator: str) -> None:
    """It is the one that divides the header into the most columns that we know."""
    header = read_header(separator.join([*COLUMNS[:7], "Land"]).encode(), HeaderSettings({"land": "Country"}))
    assert (header.columns, header.separator) == (COLUMNS, separator.encode())


def test_names_in_any_case_and_with_blanks() -> None:
    """No note is needed: nobody can misread them."""
    names = ["invoice no", "STOCKCODE", " Description", "quantity", "Invoice_Date", "unit-price"]
    assert read_header(_header(*names, "Customer ID", "country")) == Header(COLUMNS)


def test_the_names_of_the_larger_data_set() -> None:
    """A note says how they were read."""
    header = read_header(_header("Invoice", *COLUMNS[1:5], "Price", "Customer ID", "Country"))
    assert header.columns == COLUMNS
    assert header.notes == ("Columns with other names: Invoice is read as InvoiceNo, Price is read as UnitPrice.",)


def test_a_known_name_wins_over_another_name_for_it() -> None:
    """`Price` beside `UnitPrice` is some other price."""
    with pytest.raises(BadInput, match="'Price' is unknown"):
        read_header(_header(*COLUMNS, "Price"))
    header = read_header(_header(*COLUMNS, "Price"), HeaderSettings({"price": "UnitPrice"}, ignore_unknown=True))
    assert header.columns == (*COLUMNS[:5], "UnitPrice (not sent)", *COLUMNS[6:], "UnitPrice")


def test_unknown_columns_are_left_out_on_request() -> None:
    """Each is named in a note."""
    header = read_header(_header("", *COLUMNS, "Region"), HeaderSettings(ignore_unknown=True))
    assert header == Header(("", *COLUMNS, "Region"), notes=("Columns that are not sent: column 1, Region.",))


def test_renames_of_the_command_line() -> None:
    """Their name may hold an equals sign; ours must be one of the eight."""
    assert parse_renames(["No=Nr = InvoiceNo", "Land=country"]) == {"no=nr": "InvoiceNo", "land": "Country"}
    for wrong in ("Land", "Land=", "=Country", "Land=Region"):
        with pytest.raises(BadInput, match="THEIRS=OURS"):
            parse_renames([wrong])


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
