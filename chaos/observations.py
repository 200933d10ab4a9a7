"""What went into a scenario and what it left behind, and which lines and rows must be there.

What ought to be is taken from the file's own facts, from the foreign records and from what the stream really took.
"""

import json
import re
import zlib
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import Any, TypeAlias

from chaos.erasure import Erasure
from chaos.foreign import Record
from chaos.rows import Fact, GeneratedRow, Statement, held_facts, statements_of
from chaos.stores import Stores
from chaos.upload import Upload
from local_runtime.event_source_mapping import DiscardedBatch

Rows: TypeAlias = tuple[bytes, ...]

_ERASED_ROW = b'{"Erased":true}'
_WORD = re.compile(rb"[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclass(frozen=True)
class Observations:
    """What went into a scenario and what it left behind.

    `puts` are the records of our API that the stream took, in order; `asked` the batch ids of the client's requests, in
    order; `objects` the whole bucket; `discarded` what Lambda gave up; `logs` all that was logged.
    """

    rows: Sequence[GeneratedRow]
    upload: Upload
    foreign: Sequence[Record]
    puts: Sequence[Record]
    asked: Sequence[str]
    erasure: Erasure | None
    stores: Stores
    objects: Mapping[str, bytes]
    discarded: Sequence[DiscardedBatch]
    logs: Sequence[str]

    @property
    def records(self) -> list[Record]:
        """All that the stream took."""
        return [*self.puts, *self.foreign]

    @cached_property
    def facts(self) -> list[Fact]:
        """Every line that holds, as often as it was sent as a row of its own."""
        erased = [each for each, arrived in self.statements if self._is_erased(each.fact, arrived)]
        held = held_facts(each for each, arrived in self.statements if not self._is_erased(each.fact, arrived))
        if self.erasure and self.erasure.keeps_lines:
            held += [fact._replace(CustomerID=None) for fact in held_facts(erased)]
        return held

    @cached_property
    def statements(self) -> list[tuple[Statement, float]]:
        """What each row says, and when it arrived; an arrival at another time is another entry."""
        arrivals = self._arrivals_of_file() if self.erasure else {}
        statements = [
            (each, arrived)
            for each in statements_of(self.rows)
            for arrived in arrivals.get((each.fact, each.place), [inf])
        ]
        foreign = ((each, at) for record in self.foreign for each in record.statements for at in record.arrived)
        return [*statements, *foreign]

    def _arrivals_of_file(self) -> dict[tuple[Fact, object], list[float]]:
        arrivals: dict[tuple[Fact, object], list[float]] = {}
        for put in self.puts:
            for values in map(json.loads, contents(put.data)):
                arrivals.setdefault((Fact.of(values), values["Occurrence"]), []).extend(put.arrived)
        return arrivals

    def _is_erased(self, fact: Fact, arrived: float) -> bool:
        return self.erasure is not None and fact.CustomerID == self.erasure.customer and arrived < self.erasure.end

    def rows_left(self, record: Record) -> list[Rows]:
        """The contents of a record as they must be stored, for each time that it arrived.

        A row of a customer that arrived before the end of the erasure is gone; a valid one may be kept without its
        customer. A record that cannot be divided into rows is gone if it names the customer.
        """
        rows, erasure = contents(record.data), self.erasure
        if not erasure:
            return [rows for _ in record.arrived]
        left: list[bytes] = []
        for row in rows:
            if not self.is_of_customer(row):
                left.append(row)
            elif erasure.keeps_lines and row not in (record.data, *record.bad_rows):
                left.append(_without_customer(row))
        return [rows if arrived >= erasure.end else tuple(left) for arrived in record.arrived]

    def is_of_customer(self, row: bytes) -> bool:
        """Whether a row, or a record that cannot be divided into rows, is of the erased customer."""
        if self.erasure is None:
            return False
        values = _json_object(row)
        customer = self.erasure.customer
        return values.get("CustomerID") in (customer, f"{customer}.0") if values else self._names(_inflate(row)[0])

    def is_in_object(self, data: bytes) -> bool:
        """Whether the customer is in its bytes, in what they are inflated to, or in the payload of a dead letter."""
        payload = b64decode(_json_object(data).get("payload_base64", ""))
        return any(self._names(text) for text in (data, _inflate(data)[0], payload, _inflate(payload)[0]))

    def _names(self, text: bytes) -> bool:
        return self.erasure is not None and self.erasure.customer.encode() in _WORD.findall(text)

    def objects_under(self, prefix: str) -> dict[str, bytes]:
        return {key: data for key, data in self.objects.items() if key.startswith(prefix)}

    def counts(self) -> dict[str, int]:
        return {
            "starts of the client": self.upload.starts,
            "rows": len(self.rows),
            "rejected": sum(row.fact is None for row in self.rows),
            "lines": len(self.facts),
            "statements": sum(len(record.statements) for record in self.foreign),
            "batches": len({put.key for put in self.puts}),
            "runs of an erasure": self.erasure.runs if self.erasure else 0,
            "foreign records": len(self.foreign),
            "raw objects": len(self.objects_under("raw/")),
            "dead letters": len(self.objects_under("failed/")),
        }


def contents(data: bytes) -> Rows:
    """The rows of a record, but for erased ones. A record without rows is one empty row; what is no record, one row.

    A row without CustomerID may be a kept line, whose new Occurrence nobody can know, so it is without Occurrence here.
    """
    text, is_whole = _inflate(data)
    rows = [row.strip() for row in text.split(b"\n") if row.strip()] or [b""] if is_whole else [data]
    return tuple(row if b'"CustomerID"' in row else _without_customer(row) for row in rows if row != _ERASED_ROW)


def _without_customer(row: bytes) -> bytes:
    values = _json_object(row)
    left = {name: values[name] for name in sorted(values.keys() - {"CustomerID", "Occurrence"})}
    return json.dumps(left).encode() if values else row


def _json_object(text: bytes) -> dict[str, Any]:
    """Empty where the text is none."""
    try:
        values = json.loads(text)
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}


def _inflate(data: bytes) -> tuple[bytes, bool]:
    """The text of all gzip members, and whether there is nothing else; else as much as can be inflated."""
    text = b""
    while data:
        inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            text += inflater.decompress(data)
        except zlib.error:
            return text, False
        if not inflater.eof:
            return text, False
        data = inflater.unused_data
    return text, True
