"""CSV files to measure with: of UTF-8, of a few rows, of many."""

import csv
import gzip
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

Row = list[str]


def as_utf8(source: Path, target: Path) -> tuple[Path, int]:
    """The same rows in UTF-8 and not compressed, which simple clients need; and how many they are."""
    text = _text(source)
    target.write_text(text, encoding="utf-8", newline="")
    return target, sum(1 for _ in csv.reader(text.splitlines())) - 1


def first_rows(source: Path, count: int, target: Path) -> Path:
    """The header and the first rows of a UTF-8 file."""
    with source.open(encoding="utf-8", newline="") as lines, target.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(islice(csv.reader(lines), count + 1))
    return target


def grown(source: Path, rows: int, target: Path) -> Path:
    """So many rows: the source's over and over, each time with invoice numbers and customers of their own."""
    header, *body = list(csv.reader(_text(source).splitlines()))
    with target.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(header)
        writer.writerows(islice(_copies(header, body), rows))
    return target


def _copies(header: Row, body: list[Row]) -> Iterator[Row]:
    invoice, customer = header.index("InvoiceNo"), header.index("CustomerID")
    copy = 0
    while True:
        for row in body:
            changed = list(row)
            changed[invoice] = f"{row[invoice]}{copy:03}" if copy else row[invoice]
            changed[customer] = f"{row[customer]}{copy % 10}" if copy and row[customer] else row[customer]
            yield changed
        copy += 1


def _text(source: Path) -> str:
    data = source.read_bytes()
    plain = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
    try:
        return plain.decode("utf-8-sig")
    except UnicodeDecodeError:
        return plain.decode("cp1252")
