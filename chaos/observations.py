"""What went into a scenario and what it left behind, and which lines and records must be there.

What ought to be is taken from the file's own facts, from the foreign records and from what the stream really took.
"""

import gzip
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf

from chaos.aws_faults import Put
from chaos.erasure import Erasure, rows_in
from chaos.foreign import ForeignRecord
from chaos.rows import Fact, GeneratedRow, Statement, held_facts, statements_of
from chaos.stores import Stores
from chaos.upload import Upload
from local_runtime.event_source_mapping import DiscardedBatch


@dataclass(frozen=True)
class Observations:
    """What went into a scenario and what it left behind.

    `puts` are the records of our API that the stream took, in order; `asked` the batch ids of the client's requests, in
    order; `objects` the whole bucket; `discarded` what Lambda gave up; `logs` all that was logged.
    """

    rows: Sequence[GeneratedRow]
    upload: Upload
    foreign: Sequence[ForeignRecord]
    puts: Sequence[Put]
    asked: Sequence[str]
    erasure: Erasure | None
    stores: Stores
    objects: Mapping[str, bytes]
    discarded: Sequence[DiscardedBatch]
    logs: Sequence[str]

    @cached_property
    def facts(self) -> list[Fact]:
        """Every line that holds, as often as it was sent as a row of its own."""
        erased = [each for each, arrived in self._statements if self._is_erased(each.fact, arrived)]
        held = held_facts(each for each, arrived in self._statements if not self._is_erased(each.fact, arrived))
        if self.erasure and self.erasure.keeps_lines:
            held += [fact._replace(CustomerID=None) for fact in held_facts(erased)]
        return held

    @property
    def lost_invoices(self) -> set[str]:
        """Invoices all of whose lines were taken back or erased."""
        return {each.fact.InvoiceNo for each, _ in self._statements} - {fact.InvoiceNo for fact in self.facts}

    @property
    def has_later_rows(self) -> bool:
        """Whether a row of the erased customer arrived after the erasure, also one that takes a line back."""
        customer, end = (self.erasure.customer, self.erasure.end) if self.erasure else (None, inf)
        return any(each.fact.CustomerID == customer and arrived >= end for each, arrived in self._statements)

    @cached_property
    def _statements(self) -> list[tuple[Statement, float]]:
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
            for row in rows_in(gzip.decompress(put.data)):
                values = json.loads(row)
                arrivals.setdefault((Fact.of(values), values["Occurrence"]), []).append(put.arrived)
        return arrivals

    def _is_erased(self, fact: Fact, arrived: float) -> bool:
        return self.erasure is not None and fact.CustomerID == self.erasure.customer and arrived < self.erasure.end

    def what_is_left(self, data: bytes, arrived: float, invalid: Collection[bytes] = ()) -> bytes | tuple[bytes, ...]:
        """A record's bytes, or its rows where rows of an erased customer were among them."""
        left = self.erasure.rows_left(data, arrived, invalid) if self.erasure else None
        return data if left is None else left

    def objects_under(self, prefix: str) -> dict[str, bytes]:
        return {key: data for key, data in self.objects.items() if key.startswith(prefix)}

    def counts(self) -> dict[str, int]:
        return {
            "uploads": self.upload.starts,
            "rows": len(self.rows),
            "rejected": sum(row.fact is None for row in self.rows),
            "lines": len(self.facts),
            "statements": sum(len(record.statements) for record in self.foreign),
            "batches": len({put.key for put in self.puts}),
            "erasures": self.erasure.runs if self.erasure else 0,
            "foreign": len(self.foreign),
            "raw_objects": len(self.objects_under("raw/")),
            "dead_letters": len(self.objects_under("failed/")),
        }
