"""What makes a line itself: sending it again must land on it, and a true repeat must not."""

from hashlib import blake2b

from invoices.line import Line

_ID_BYTES = 12
_SEPARATOR = "\x1f"  # no field may hold it, so two different rows never join to the same text


def line_id(line: Line, batch_id: str, index: int) -> str:
    """24 hexadecimal digits. With `Occurrence` it depends on content alone; without, on where the row arrived.

    `index` is the row's place in its record, from 0, refused rows counted.
    """
    return line_id_of(content(line), line.Occurrence, batch_id, index)


def line_id_of(texts: tuple[str, ...], occurrence: int | None, batch_id: str, index: int) -> str:
    """The same, from a line's `content` that is at hand already."""
    place = f"#{occurrence}" if occurrence else f"@{batch_id}@{index}"
    text = _SEPARATOR.join((*texts, place))
    return blake2b(text.encode(), digest_size=_ID_BYTES).hexdigest()


def content(line: Line) -> tuple[str, ...]:
    """The normal form of a line's eight fields as text. None and empty text are the same, here as in a CSV."""
    return (
        line.InvoiceNo,
        line.StockCode,
        line.Description or "",
        str(line.Quantity),
        line.InvoiceDate,
        format(line.UnitPrice, "f"),
        line.CustomerID or "",
        line.Country,
    )
