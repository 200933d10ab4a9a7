"""How slices and pointers look as DynamoDB items, in the wire's own types (`{"S": …}`).

A slice's item reads like a small CSV: `Columns` names what the values of each of its `Lines` are, once for all of
them, and InvoiceDate, CustomerID and Country stand beside it where all lines agree. Names within each line would be
a third of the item. A line's id is stored only where it cannot be computed from the line; `Occurrence` only where one
is not 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from invoices.invoice import Slice
from invoices.line import Line, line_id
from invoices.normal_forms import price_from_text

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

Item: TypeAlias = "dict[str, AttributeValueTypeDef]"
ReadItem: TypeAlias = "Mapping[str, AttributeValueTypeDef]"

POINTER_SEPARATOR = "#"  # no invoice number may hold it, and every other character of one sorts after it
_LINE_ID = "LineId"
_OCCURRENCE = "Occurrence"
_SHARED_FIELDS = ("InvoiceDate", "CustomerID", "Country")
_LINE_FIELDS = ("StockCode", "Description", "Quantity", "UnitPrice")
_COLUMN_SEPARATOR = ","
_NONE: AttributeValueTypeDef = {"NULL": True}


def slice_item(invoice_slice: Slice) -> Item:
    """The one item in Invoices that holds this slice."""
    shared = _shared(invoice_slice)
    columns = _columns(invoice_slice, shared)
    item: Item = {"InvoiceNo": {"S": invoice_slice.invoice_no}, "SliceId": {"S": invoice_slice.slice_id}, **shared}
    item["Columns"] = {"S": _COLUMN_SEPARATOR.join(columns)}
    item["Lines"] = {"L": [{"L": _values(line, name, columns)} for name, line in invoice_slice.lines.items()]}
    return item


def pointer_items(invoice_slice: Slice) -> list[Item]:
    """The items in Customers that lead to this slice: one for each customer in it."""
    pointer = f"{invoice_slice.invoice_no}{POINTER_SEPARATOR}{invoice_slice.slice_id}"
    return [{"CustomerID": {"S": customer}, "Slice": {"S": pointer}} for customer in invoice_slice.customer_ids]


def slice_key(pointer: str) -> Item:
    """The key in Invoices of the slice that a pointer's `Slice` names."""
    invoice_no, _, slice_id = pointer.partition(POINTER_SEPARATOR)
    return {"InvoiceNo": {"S": invoice_no}, "SliceId": {"S": slice_id}}


def slice_from_item(item: ReadItem) -> Slice:
    """The slice that `slice_item` made the item of. The item is trusted: its lines were validated before."""
    shared = {field: item[field] for field in ("InvoiceNo", *_SHARED_FIELDS) if field in item}
    columns = item["Columns"]["S"].split(_COLUMN_SEPARATOR)
    rows = [{**shared, **dict(zip(columns, entry["L"], strict=True))} for entry in item["Lines"]["L"]]
    lines = {_stored_id(values, line): line for values in rows for line in [_line(values)]}
    return Slice(item["InvoiceNo"]["S"], item["SliceId"]["S"], lines)


def _shared(invoice_slice: Slice) -> Item:
    lines = list(invoice_slice.lines.values())
    values = {field: {getattr(line, field) for line in lines} for field in _SHARED_FIELDS}
    return {field: {"S": one} for field, (one, *others) in values.items() if one and not others}


def _columns(invoice_slice: Slice, shared: Item) -> list[str]:
    occurrences = {line.Occurrence for line in invoice_slice.lines.values()}
    extra = [_LINE_ID] if None in occurrences else []
    if not occurrences <= {None, 1}:
        extra.append(_OCCURRENCE)
    return [*_LINE_FIELDS, *(field for field in _SHARED_FIELDS if field not in shared), *extra]


def _values(line: Line, name: str, columns: list[str]) -> list[AttributeValueTypeDef]:
    """The line's values in the order of the columns. A line has an Occurrence, or its id is stored."""
    values: list[AttributeValueTypeDef] = [
        {"S": line.StockCode},
        _NONE if line.Description is None else {"S": line.Description},
        {"N": str(line.Quantity)},
        {"N": format(line.UnitPrice, "f")},
    ]
    for column in columns[len(_LINE_FIELDS) :]:
        if column == _LINE_ID:
            values.append(_NONE if line.Occurrence else {"S": name})
        else:
            value = getattr(line, column)
            values.append(_NONE if value is None else _number_or_text(column, value))
    return values


def _number_or_text(column: str, value: object) -> AttributeValueTypeDef:
    return {"N": str(value)} if column == _OCCURRENCE else {"S": str(value)}


def _stored_id(values: ReadItem, line: Line) -> str:
    if line.Occurrence is None:
        return values[_LINE_ID]["S"]
    return line_id(line, batch_id="", index=0)  # with Occurrence, neither counts


def _line(values: ReadItem) -> Line:
    return Line.model_construct(
        InvoiceNo=values["InvoiceNo"]["S"],
        StockCode=values["StockCode"]["S"],
        Description=_text(values, "Description"),
        Quantity=int(values["Quantity"]["N"]),
        InvoiceDate=values["InvoiceDate"]["S"],
        UnitPrice=price_from_text(values["UnitPrice"]["N"]),
        CustomerID=_text(values, "CustomerID"),
        Country=values["Country"]["S"],
        Occurrence=_occurrence(values),
    )


def _text(values: ReadItem, field: str) -> str | None:
    return values[field].get("S") if field in values else None


def _occurrence(values: ReadItem) -> int | None:
    if "S" in values.get(_LINE_ID, _NONE):
        return None
    return int(values[_OCCURRENCE]["N"]) if _OCCURRENCE in values else 1
