"""A customer's own lines, invoice by invoice, from the slices that the customer's pointers name."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from invoices.invoice import Invoice, invoice_of
from invoices.items import POINTER_SEPARATOR, slice_from_item, slice_key
from invoices.slices import Slice
from pipeline_api.reads.tables import MAX_KEYS, Tables


def invoice_no_of(pointer: str) -> str:
    return pointer.partition(POINTER_SEPARATOR)[0]


def customer_invoices(tables: Tables, customer_id: str, pointers: Iterable[str]) -> Iterator[Invoice]:
    """The customer's part of each invoice. `pointers` come in order; one invoice at a time is held in memory."""
    slices = (piece for chunk in _chunks(pointers) for piece in _slices_at(tables, chunk))
    for invoice_no, pieces in groupby(slices, lambda piece: piece.invoice_no):
        lines = invoice_of(invoice_no, pieces).lines
        own = {name: line for name, line in lines.items() if line.CustomerID == customer_id}
        if own:
            yield Invoice(invoice_no, own)


def _slices_at(tables: Tables, pointers: Sequence[str]) -> list[Slice]:
    """In the pointers' order. A pointer may be stored a moment before its slice: then there is none yet."""
    found = map(slice_from_item, tables.items_at([slice_key(pointer) for pointer in pointers]))
    by_name = {(piece.invoice_no, piece.slice_id): piece for piece in found}
    places = (tuple(pointer.split(POINTER_SEPARATOR)) for pointer in pointers)
    return [by_name[place] for place in places if place in by_name]


def _chunks(pointers: Iterable[str]) -> Iterator[list[str]]:
    chunk: list[str] = []
    for pointer in pointers:
        chunk.append(pointer)
        if len(chunk) == MAX_KEYS:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
