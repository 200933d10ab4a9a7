"""How slices and pointers look as DynamoDB items, in the wire's own types (`{"S": …}`).

A slice's item holds InvoiceDate, CustomerID and Country once where all its lines agree, and the lines as maps with
the CSV's own names, so that it can be read in a console. A line's id is stored only where it cannot be computed from
the line; `Occurrence` only where it is not 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from invoices.fields import price_from_text
from invoices.line import Line
from invoices.line_id import line_id
from invoices.slices import Slice

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

Item: TypeAlias = "dict[str, AttributeValueTypeDef]"
ReadItem: TypeAlias = "Mapping[str, AttributeValueTypeDef]"

POINTER_SEPARATOR = "#"  # no invoice number may hold it, and every other character of one sorts after it
_LINE_ID = "LineId"
_SHARED_FIELDS = ("InvoiceDate", "CustomerID", "Country")


def slice_item(piece: Slice) -> Item:
    """The one item in Invoices that holds this slice."""
    item: Item = {"InvoiceNo": {"S": piece.invoice_no}, "SliceId": {"S": piece.slice_id}}
    shared = _shared(piece)
    own = [field for field in _SHARED_FIELDS if field not in shared]
    item.update(shared)
    item["Lines"] = {"L": [{"M": _line_map(line, name, own)} for name, line in piece.lines.items()]}
    return item


def pointer_items(piece: Slice) -> list[Item]:
    """The items in Customers that lead to this slice: one for each customer in it."""
    pointer = f"{piece.invoice_no}{POINTER_SEPARATOR}{piece.slice_id}"
    return [{"CustomerID": {"S": customer}, "Slice": {"S": pointer}} for customer in piece.customer_ids]


def slice_key(pointer: str) -> Item:
    """The key in Invoices of the slice that a pointer's `Slice` names."""
    invoice_no, _, slice_id = pointer.partition(POINTER_SEPARATOR)
    return {"InvoiceNo": {"S": invoice_no}, "SliceId": {"S": slice_id}}


def slice_from_item(item: ReadItem) -> Slice:
    """The slice that `slice_item` made the item of. The item is trusted: its lines were validated before."""
    shared = {field: item[field] for field in ("InvoiceNo", *_SHARED_FIELDS) if field in item}
    maps = [{**shared, **entry["M"]} for entry in item["Lines"]["L"]]
    lines = {_stored_id(values, line): line for values in maps for line in [_line(values)]}
    return Slice(item["InvoiceNo"]["S"], item["SliceId"]["S"], lines)


def _shared(piece: Slice) -> Item:
    lines = list(piece.lines.values())
    values = {field: {getattr(line, field) for line in lines} for field in _SHARED_FIELDS}
    return {field: {"S": one} for field, (one, *others) in values.items() if one and not others}


def _line_map(line: Line, name: str, own_fields: list[str]) -> Item:
    values: Item = {"StockCode": {"S": line.StockCode}}
    if line.Description is not None:
        values["Description"] = {"S": line.Description}
    values["Quantity"] = {"N": str(line.Quantity)}
    values["UnitPrice"] = {"N": format(line.UnitPrice, "f")}
    for field in own_fields:
        if (text := getattr(line, field)) is not None:
            values[field] = {"S": text}
    if line.Occurrence is None:
        values[_LINE_ID] = {"S": name}
    elif line.Occurrence > 1:
        values["Occurrence"] = {"N": str(line.Occurrence)}
    return values


def _stored_id(values: ReadItem, line: Line) -> str:
    if _LINE_ID in values:
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
    return values[field]["S"] if field in values else None


def _occurrence(values: ReadItem) -> int | None:
    if _LINE_ID in values:
        return None
    return int(values["Occurrence"]["N"]) if "Occurrence" in values else 1
