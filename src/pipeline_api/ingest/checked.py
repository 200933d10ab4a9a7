"""The rows of a body, checked: those that are taken, and what is wrong with each other one."""

from collections.abc import Sequence
from dataclasses import dataclass

from invoices.errors import RowError
from invoices.rows import read_by_part


@dataclass(frozen=True, slots=True)
class Checked:
    """`texts` are the rows that are taken, each with its own bytes; `rejected` counts the others."""

    texts: Sequence[bytes]
    rejected: int
    errors: Sequence[RowError]


def check(texts: Sequence[bytes]) -> Checked:
    """Check rows, each a JSON text. Their lines are not kept: the stream carries the texts."""
    taken: list[bytes] = []
    errors: list[RowError] = []
    for part in read_by_part(texts):
        taken.extend(texts[index] for index in part.indexes)
        errors.extend(part.errors)
    return Checked(taken, len(texts) - len(taken), errors)
