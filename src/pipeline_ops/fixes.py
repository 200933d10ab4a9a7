"""`--set Field=value`: other values for rows that were refused."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from invoices.line import Line
from pipeline_ops.documents import NumberedRow
from pipeline_ops.errors import OpsError

_OCCURRENCE = "Occurrence"


@dataclass(frozen=True, slots=True)
class Fix:
    """`rows` are the rows' places in the whole record; None means all that were set aside."""

    values: Mapping[str, str | int] = field(default_factory=dict)
    rows: frozenset[int] | None = None

    def chooses(self, row: NumberedRow) -> bool:
        return self.rows is None or row.index in self.rows

    def applied_to(self, row: NumberedRow) -> NumberedRow:
        """The row with the values set, all else as it was.

        A row that says something else than before is no longer the n-th with its content: without its Occurrence
        it is known by its batch and place, so that it can never fall onto another row and be lost. Text that is no
        JSON object stays as it is, for the check to refuse.
        """
        pairs = _pairs(row.text)
        if not self.values or pairs is None:
            return row
        changed = {**self._without_occurrence_if_new(pairs), **self.values}
        kept = [(name, value) for name, value in pairs if name in changed and name not in self.values]
        return NumberedRow(row.index, _object_text([*kept, *self.values.items()]))

    def _without_occurrence_if_new(self, pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
        before = dict(pairs)
        if any(before.get(name) != value for name, value in self.values.items()):
            before.pop(_OCCURRENCE, None)
        return before


def fix_of(assignments: Sequence[str], rows: Sequence[int]) -> Fix:
    """Raises OpsError for what is not `Field=value` with a field of an invoice row."""
    values = dict(_assignment(text) for text in assignments)
    return Fix(values, frozenset(rows) if rows else None)


def _assignment(text: str) -> tuple[str, str | int]:
    name, equals, value = text.partition("=")
    if not equals or name not in Line.model_fields:
        raise OpsError(f"--set takes Field=value, with one of these fields: {', '.join(Line.model_fields)}.")
    return name, int(value) if name == _OCCURRENCE and value.isdecimal() else value


def _pairs(text: bytes) -> list[tuple[str, object]] | None:
    """Names and values of a JSON object in order; a name that is there twice stays twice, to be refused as such."""
    try:
        parsed = json.loads(text, object_pairs_hook=_Pairs)
    except ValueError:
        return None
    return parsed if isinstance(parsed, _Pairs) else None


class _Pairs(list[tuple[str, object]]):
    """Tells an object from an array."""


def _object_text(pairs: Sequence[tuple[str, object]]) -> bytes:
    return b"{" + b",".join(f"{json.dumps(name)}:{json.dumps(value)}".encode() for name, value in pairs) + b"}"
