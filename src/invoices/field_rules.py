"""What a caller is told when a field is refused: the whole rule, and nothing of the value."""

from collections.abc import Mapping

RULES: Mapping[str, str] = {
    "InvoiceNo": "must be 1 to 40 letters, digits, '_' or '-'",
    "StockCode": "must be text of 1 to 60 characters without control characters",
    "Description": "must be text of at most 500 characters without control characters, or null",
    "Quantity": "must be a whole number of at most 9 digits",
    "InvoiceDate": "must be a date and time like 12/1/2010 8:26 (month first) or 2010-12-01T08:26:00",
    "UnitPrice": "must be a decimal number with at most 9 digits before the point and 6 behind it",
    "CustomerID": "must be 1 to 40 letters, digits, '_' or '-', or null",
    "Country": "must be text of 1 to 60 characters without control characters",
    "Occurrence": "must be a whole number from 1 to 999,999,999, or null",
}
