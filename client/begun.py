"""Batches that earlier runs have begun: which rows each holds, under which key, and what the API said, if it did."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

from client.answers import IngestAnswer

_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class Begun:
    """A request that was made, or was about to be. Rows are counted over the file from 0, broken ones left out.

    `size` and `digest` are the body's; `answer` None means that nobody knows whether the API has it.
    """

    key: str
    first: int
    rows: int
    size: int
    digest: str
    answer: IngestAnswer | None = None

    @property
    def end(self) -> int:
        return self.first + self.rows


class BegunBatches:
    """Where they begin in the file. Asked from its first row to its last."""

    def __init__(self, begun: Iterable[Begun] = ()) -> None:
        self._left = deque(sorted(begun, key=lambda each: each.first))

    def __bool__(self) -> bool:
        return bool(self._left)

    def at(self, row: int) -> Begun | None:
        """The batch that begins with this row."""
        return self._left[0] if self._left and self._left[0].first == row else None

    def pop(self) -> None:
        self._left.popleft()

    def free_rows(self, row: int) -> int | None:
        """How many rows from this one on are in no such batch; None where all are that follow."""
        return self._left[0].first - row if self._left else None


def body_digest(body: bytes) -> str:
    return blake2b(body, digest_size=_DIGEST_BYTES).hexdigest()
