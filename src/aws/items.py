"""How slices and pointers look as DynamoDB items, in the wire's own types (`{"S": ...}`).

A slice's item reads like a small CSV file:

    InvoiceNo    536365
    SliceId      5f0e9a27...
    InvoiceDate  2010-12-01T08:26:00
    CustomerID   17850
    Country      United Kingdom
    Columns      StockCode,Description,Quantity,UnitPrice
    Lines        [[85123A, WHITE HANGING HEART T-LIGHT HOLDER, 6, 2.55], ...]

`Columns` names the values of every line once: names in each line would be a third of the item. InvoiceDate, CustomerID
and Country are columns only where the lines differ. `Occurrence` is a column only where a line has another than 1.
`LineId` is a column only where a line has no Occurrence, because its id cannot be computed from the line then. `AsOf`
and `Withdrawn` are columns only where a line has them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, TypeAlias

from invoices.invoice import Slice
from invoices.line import Line, line_id
from invoices.normal_forms import price_from_text

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

Item: TypeAlias = "dict[str, AttributeValueTypeDef]"
ReadItem: TypeAlias = "Mapping[str, AttributeValueTypeDef]"

POINTER_SEPARATOR = "#"  # not allowed in invoice numbers; sorts before every allowed character
_COLUMN_SEPARATOR = ","
_LINE_COLUMNS = ("StockCode", "Description", "Quantity", "UnitPrice")
_SHARED_FIELDS = ("InvoiceDate", "CustomerID", "Country")
_OCCURRENCE = "Occurrence"
_AS_OF = "AsOf"
_WITHDRAWN = "Withdrawn"
_LINE_ID = "LineId"
_NULL: AttributeValueTypeDef = {"NULL": True}


def slice_item(invoice_slice: Slice) -> Item:
    """The item in Invoices that holds this slice."""
    shared = _shared_values(invoice_slice)
    columns = _columns(invoice_slice, shared)
    lines: list[AttributeValueTypeDef] = [
        {"L": _line_values(line, name, columns)} for name, line in invoice_slice.lines.items()
    ]
    return {
        "InvoiceNo": {"S": invoice_slice.invoice_no},
        "SliceId": {"S": invoice_slice.slice_id},
        **shared,
        "Columns": {"S": _COLUMN_SEPARATOR.join(columns)},
        "Lines": {"L": lines},
    }


def pointer_items(invoice_slice: Slice) -> list[Item]:
    """The items in Customers that point to this slice: one for each of its customers."""
    pointer = f"{invoice_slice.invoice_no}{POINTER_SEPARATOR}{invoice_slice.slice_id}"
    return [{"CustomerID": {"S": customer}, "Slice": {"S": pointer}} for customer in invoice_slice.customer_ids]


def slice_key(pointer: str) -> Item:
    """The key in Invoices of the slice that a pointer's `Slice` names."""
    invoice_no, _, slice_id = pointer.partition(POINTER_SEPARATOR)
    return {"InvoiceNo": {"S": invoice_no}, "SliceId": {"S": slice_id}}


def slice_from_item(item: ReadItem) -> Slice:
    """The slice that `slice_item` made this item of. Its lines are not validated again."""
    shared = {field: item[field] for field in ("InvoiceNo", *_SHARED_FIELDS) if field in item}
    columns = item["Columns"]["S"].split(_COLUMN_SEPARATOR)
    lines: dict[str, Line] = {}
    for entry in item["Lines"]["L"]:
        values = {**shared, **dict(zip(columns, entry["L"], strict=True))}
        line = _line(values)
        lines[_line_id(values, line)] = line
    return Slice(item["InvoiceNo"]["S"], item["SliceId"]["S"], lines)


def _shared_values(invoice_slice: Slice) -> Item:
    """The fields that have one text in all lines. Where no line has a customer, that is a column of nulls."""
    lines = invoice_slice.lines.values()
    values = {field: {getattr(line, field) for line in lines} for field in _SHARED_FIELDS}
    return {field: {"S": value} for field, (value, *others) in values.items() if value and not others}


def _columns(invoice_slice: Slice, shared: Item) -> list[str]:
    lines = invoice_slice.lines.values()
    occurrences = {line.Occurrence for line in lines}
    columns = [*_LINE_COLUMNS, *(field for field in _SHARED_FIELDS if field not in shared)]
    if None in occurrences:
        columns.append(_LINE_ID)
    if not occurrences <= {None, 1}:
        columns.append(_OCCURRENCE)
    return [*columns, *(name for name in (_AS_OF, _WITHDRAWN) if any(map(attrgetter(name), lines)))]


def _line_values(line: Line, name: str, columns: Sequence[str]) -> list[AttributeValueTypeDef]:
    """The values of the line, whose id is `name`, in the order of the columns."""
    values: list[AttributeValueTypeDef] = [
        {"S": line.StockCode},
        _NULL if line.Description is None else {"S": line.Description},
        {"N": str(line.Quantity)},
        {"N": format(line.UnitPrice, "f")},
    ]
    for column in columns[len(_LINE_COLUMNS) :]:
        if column == _LINE_ID:
            values.append(_NULL if line.Occurrence else {"S": name})
        elif (value := getattr(line, column)) is None:
            values.append(_NULL)
        elif column == _WITHDRAWN:
            values.append({"BOOL": value})
        else:
            values.append({"N": str(value)} if column == _OCCURRENCE else {"S": value})
    return values


def _line(values: ReadItem) -> Line:
    return Line.model_construct(
        InvoiceNo=values["InvoiceNo"]["S"],
        StockCode=values["StockCode"]["S"],
        Description=values["Description"].get("S"),
        Quantity=int(values["Quantity"]["N"]),
        InvoiceDate=values["InvoiceDate"]["S"],
        UnitPrice=price_from_text(values["UnitPrice"]["N"]),
        CustomerID=values["CustomerID"].get("S"),
        Country=values["Country"]["S"],
        Occurrence=_occurrence(values),
        AsOf=values.get(_AS_OF, _NULL).get("S"),
        Withdrawn=values.get(_WITHDRAWN, _NULL).get("BOOL", False),
    )


def _occurrence(values: ReadItem) -> int | None:
    if "S" in values.get(_LINE_ID, _NULL):
        return None
    return int(values[_OCCURRENCE]["N"]) if _OCCURRENCE in values else 1


def _line_id(values: ReadItem, line: Line) -> str:
    if line.Occurrence is None:
        return values[_LINE_ID]["S"]
    return line_id(line, batch_id="", number=0)  # neither counts where the line has an Occurrence
