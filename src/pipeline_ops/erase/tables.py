"""Erases a customer from the tables, which were made from the archive.

A slice never changes: its other lines become a new slice, and then the old one is deleted.
"""

from collections.abc import Mapping

from rich.progress import Progress

from aws.errors import translate_errors
from aws.items import pointer_items, slice_item
from consumers.index import Put, write_all
from invoices.erasure import erase_line
from invoices.invoice import Slice, slice_of_lines
from invoices.line import Line, line_id
from pipeline_ops.erase.found import Found, Store, Target
from pipeline_ops.options import Stores
from pipeline_ops.stored import Pointer, UnreadableItem, customer_pointers, stored_slices


def erase_from_tables(stores: Stores, target: Target, found: Found, bar: Progress) -> None:
    """Every slice is looked at, because a slice may lack its pointer for a moment. Raises Retryable."""
    slices = stored_slices(stores.dynamodb, stores.invoices_table)
    for invoice_slice in bar.track(slices, description="Invoices, slices"):
        if isinstance(invoice_slice, UnreadableItem):
            found.unreadable.append(f"{invoice_slice.invoice_no}#{invoice_slice.slice_id}")
            continue
        lines = _lines_left(invoice_slice, target)
        if lines != invoice_slice.lines:
            gone = sum(line.CustomerID == target.customer_id for line in invoice_slice.lines.values())
            found.add(Store.INVOICES, gone)
            if not target.dry_run:
                _replace_slice(stores, invoice_slice, lines)
    for pointer in customer_pointers(stores.dynamodb, stores.customers_table, target.customer_id):
        found.add(Store.CUSTOMERS, 1)
        if not target.dry_run:
            _delete_pointer(stores, pointer)


def _lines_left(invoice_slice: Slice, target: Target) -> Mapping[str, Line]:
    erased = ((name, line, erase_line(line, name, target.customers)) for name, line in invoice_slice.lines.items())
    return {(name if new is line else line_id(new, "", 0)): new for name, line, new in erased if new}


def _replace_slice(stores: Stores, old: Slice, lines: Mapping[str, Line]) -> None:
    """The old slice is deleted last: whoever finds it does all of this again."""
    if lines:
        new = slice_of_lines(old.invoice_no, lines)
        puts = [Put(stores.invoices_table, slice_item(new))]
        puts += [Put(stores.customers_table, item) for item in pointer_items(new)]
        write_all(stores.dynamodb, puts)
    for item in pointer_items(old):
        _delete_pointer(stores, Pointer(item["CustomerID"]["S"], item["Slice"]["S"]))
    key = {"InvoiceNo": {"S": old.invoice_no}, "SliceId": {"S": old.slice_id}}
    with translate_errors("DynamoDB"):
        stores.dynamodb.delete_item(TableName=stores.invoices_table, Key=key)


def _delete_pointer(stores: Stores, pointer: Pointer) -> None:
    key = {"CustomerID": {"S": pointer.customer_id}, "Slice": {"S": pointer.slice_name}}
    with translate_errors("DynamoDB"):
        stores.dynamodb.delete_item(TableName=stores.customers_table, Key=key)
