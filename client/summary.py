"""What an upload came to, for people and for programs."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from client.ledger import Ledger

_ALL_ACCEPTED, _SOME_REJECTED, _INCOMPLETE, _INTERRUPTED = 0, 1, 3, 130


@dataclass(frozen=True, slots=True)
class Summary:
    """`ending` is why the upload ended early, else None; `note` says what is special about the file.

    `journal` is where an upload that is not complete can be resumed from. `resumed` is whether this run went on from
    there.
    """

    file: Path
    ledger: Ledger
    seconds: float
    rejects: Path | None
    encoding: str
    note: str | None = None
    ending: str | None = None
    interrupted: bool = False
    resumed: bool = False
    journal: Path | None = None

    @property
    def exit_code(self) -> int:
        if self.interrupted:
            return _INTERRUPTED
        if self.ending:
            return _INCOMPLETE
        return _SOME_REJECTED if self.ledger.rejected else _ALL_ACCEPTED

    @property
    def is_complete(self) -> bool:
        return not self.ending

    def event(self) -> dict[str, object]:
        """The last line of `--json`."""
        ledger = self.ledger
        return {
            "event": "summary",
            "file": str(self.file),
            "rows_read": ledger.rows_read,
            "accepted": ledger.accepted,
            "rejected": ledger.rejected,
            "not_sent": ledger.not_sent,
            "not_sent_lines": [[each.first, each.last] for each in ledger.not_sent_lines()],
            "batches": ledger.batches,
            "bytes_sent": ledger.bytes_sent,
            "resumed": self.resumed,
            "resumed_rows": ledger.resumed,
            "seconds": round(self.seconds, 3),
            "rejects_file": str(self.rejects) if self.rejects else None,
            "journal": str(self.journal) if self.journal else None,
            "error": self.ending,
        }

    def show(self, console: Console) -> None:
        table = Table.grid(padding=(0, 2))
        table.add_column()
        table.add_column(justify="right")
        for name, value in self._figures():
            table.add_row(name, value)
        console.print(Text(f"{self.file} ({self.encoding})", style="bold"))
        console.print(table)
        for remark in self._remarks():
            console.print(Text(remark), soft_wrap=True)

    def _figures(self) -> Iterator[tuple[str, str]]:
        ledger = self.ledger
        yield "rows read", f"{ledger.rows_read:,}"
        yield "accepted", f"{ledger.accepted:,}"
        yield "rejected", f"{ledger.rejected:,}"
        if ledger.not_sent:
            yield "read, not sent", f"{ledger.not_sent:,}"
        if self.resumed:
            yield "answered before", f"{ledger.resumed:,}"
        yield "batches", f"{ledger.batches:,}"
        yield "bytes sent", f"{ledger.bytes_sent:,}"
        yield "seconds", f"{self.seconds:,.1f}"
        yield "rows/s", f"{(ledger.accepted + ledger.rejected - ledger.resumed) / max(self.seconds, 1e-3):,.0f}"

    def _remarks(self) -> Iterator[str]:
        if self.note:
            yield self.note
        if self.rejects:
            yield f"The rejected rows and their reasons are in {self.rejects}"
        if ranges := self.ledger.not_sent_lines():
            others = "All other rows have their answer." if self.ledger.batches else "Nothing has an answer."
            yield f"Not sent, or without an answer: {'; '.join(map(str, ranges))}. {others}"
            yield self._what_to_do()

    def _what_to_do(self) -> str:
        if self.journal:
            return f"The same command goes on from here: {self.journal} knows what has its answer."
        return "Send the whole file again when you can."
