"""The report's figures: each as the CSV has it beside what the pipeline has."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TypedDict

from local_runtime.report.expected import Expected
from local_runtime.report.stored import Stored
from local_runtime.upload.messages import UploadSummary
from local_runtime.upload.progress import Progress


@dataclass(frozen=True)
class Comparison:
    """One line of the report. `expected` comes from the file alone, `actual` from the pipeline alone."""

    name: str
    expected: int | Decimal
    actual: int | Decimal

    @property
    def agrees(self) -> bool:
        return self.expected == self.actual


class Contract(TypedDict):
    """The keys that tools outside this repository read from report.json."""

    rows_read: int
    accepted: int
    rejected: int
    raw_objects: int
    raw_rows: int
    invoices: int
    lines: int
    customers: int
    seconds: float


def compared(expected: Expected, summary: UploadSummary, stored: Stored) -> list[Comparison]:
    file, store = expected.tally, stored.tally
    return [
        Comparison("rows read", expected.rows_read, summary.rows_read),
        Comparison("rows accepted", expected.accepted, summary.accepted),
        Comparison("rows rejected", expected.rejected, summary.rejected),
        Comparison("rows in raw objects", expected.accepted, stored.raw_rows),
        Comparison("lines", len(file.line_ids), len(store.line_ids)),
        Comparison("lines missing", 0, len(file.line_ids - store.line_ids)),
        Comparison("lines that the CSV lacks", 0, len(store.line_ids - file.line_ids)),
        Comparison("invoices", len(file.invoices), len(store.invoices)),
        Comparison("customers", len(file.customers), stored.customers),
        Comparison("customer and invoice pairs", len(file.pairs), len(stored.pointed)),
        Comparison("pairs without a pointer", 0, len(file.pairs - stored.pointed)),
        Comparison("total amount", file.amount, store.amount),
        Comparison("objects set aside", 0, stored.set_aside),
    ]


def contract(summary: UploadSummary, stored: Stored, seconds: float) -> Contract:
    return {
        "rows_read": summary.rows_read,
        "accepted": summary.accepted,
        "rejected": summary.rejected,
        "raw_objects": stored.raw_objects,
        "raw_rows": stored.raw_rows,
        "invoices": len(stored.tally.invoices),
        "lines": len(stored.tally.line_ids),
        "customers": stored.customers,
        "seconds": round(seconds, 3),
    }


@dataclass(frozen=True)
class Report:
    contract: Contract
    comparisons: list[Comparison]
    slices: int
    pointers: int
    rows_per_second: Mapping[str, float]
    peak_memory: Mapping[str, int]

    @property
    def agrees(self) -> bool:
        return all(comparison.agrees for comparison in self.comparisons)


def rows_per_second(progress: Progress) -> dict[str, float]:
    return {stage.label: round(stage.rows_per_second, 1) for stage in progress.stages}


def write_report(report: Report, path: Path) -> None:
    """The contract's keys first; whoever reads them may ignore the rest."""
    figures = {
        **report.contract,
        "agrees": report.agrees,
        "compared": {
            each.name: {"csv": _plain(each.expected), "pipeline": _plain(each.actual)} for each in report.comparisons
        },
        "slices": report.slices,
        "pointers": report.pointers,
        "rows_per_second": report.rows_per_second,
        "peak_memory_bytes": report.peak_memory,
    }
    path.write_text(json.dumps(figures, indent=2) + "\n")


def _plain(value: int | Decimal) -> int | str:
    """Money as text, never as a float."""
    return value if isinstance(value, int) else format(value, "f")
