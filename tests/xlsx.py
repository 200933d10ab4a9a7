"""Writes .xlsx files as Excel does, without a library that only the tests would need."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeAlias
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

Cell: TypeAlias = str | float | datetime | None

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - a sheet has no zone
_DATE_STYLES = (
    '<fonts count="1"><font/></fonts><fills count="1"><fill/></fills><borders count="1"><border/></borders>'
    '<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf numFmtId="0"/>'
    '<xf numFmtId="22" applyNumberFormat="1"/></cellXfs>'
)


def xlsx_of_csv(source: Path, path: Path) -> Path:
    """The rows of a CSV with our columns, in cells as Excel keeps them."""
    with source.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    cells = ([typed_cell(*each) for each in zip(header, row, strict=True)] for row in rows)
    return write_xlsx(path, {"Rows": [header, *cells]})


def typed_cell(name: str, text: str) -> Cell:
    """A field of a row as a date, a number or text; None where it is empty."""
    if not text:
        return None
    if name == "InvoiceDate":
        return datetime.strptime(text, "%m/%d/%Y %H:%M")  # noqa: DTZ007 - the data has no zone
    return float(text) if name in {"Quantity", "UnitPrice", "CustomerID"} or text.isdecimal() else text


def write_xlsx(path: Path, sheets: Mapping[str, Iterable[Sequence[Cell]]]) -> Path:
    """Dates are numbers with a date's format, as Excel keeps them; None is an empty cell."""
    names = list(sheets)
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name, text in _parts(names).items():
            archive.writestr(name, _HEAD + text)
        for number, rows in enumerate(sheets.values(), 1):
            archive.writestr(f"xl/worksheets/sheet{number}.xml", _HEAD + _sheet(rows))
    return path


def _parts(names: Sequence[str]) -> dict[str, str]:
    numbers = range(1, len(names) + 1)
    sheets = "".join(f'<sheet name="{escape(names[n - 1])}" sheetId="{n}" r:id="rId{n}"/>' for n in numbers)
    targets = {f"rId{n}": ("worksheet", f"worksheets/sheet{n}.xml") for n in numbers} | {
        "rId0": ("styles", "styles.xml")
    }
    overrides = "".join(
        f'<Override PartName="/xl/{target}" ContentType="{_TYPE}.{kind}+xml"/>' for kind, target in targets.values()
    )
    return {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" '
        f'ContentType="{_TYPE}.sheet.main+xml"/>{overrides}</Types>',
        "_rels/.rels": _relationships({"rId1": ("officeDocument", "xl/workbook.xml")}),
        "xl/workbook.xml": f'<workbook {_MAIN} xmlns:r="{_RELATIONS}"><sheets>{sheets}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _relationships(targets),
        "xl/styles.xml": f"<styleSheet {_MAIN}>{_DATE_STYLES}</styleSheet>",
    }


def _relationships(targets: Mapping[str, tuple[str, str]]) -> str:
    entries = "".join(
        f'<Relationship Id="{key}" Type="{_RELATIONS}/{kind}" Target="{target}"/>'
        for key, (kind, target) in targets.items()
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{entries}</Relationships>'


def _sheet(rows: Iterable[Sequence[Cell]]) -> str:
    lines = (f"<row>{''.join(map(_cell, row))}</row>" for row in rows)
    return f"<worksheet {_MAIN}><sheetData>{''.join(lines)}</sheetData></worksheet>"


def _cell(cell: Cell) -> str:
    if cell is None:
        return "<c/>"
    if isinstance(cell, str):
        return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(cell)}</t></is></c>'
    if isinstance(cell, datetime):
        return f'<c s="1"><v>{(cell - _DAY_ZERO).total_seconds() / 86400!r}</v></c>'
    return f"<c><v>{cell!r}</v></c>"
