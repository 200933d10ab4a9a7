"""The errors of the pipeline, in one tree with two roots.

    Exception
    ├── Rejected          the same bytes fail again: never retry, set aside
    │   ├── Malformed         not gzip, not UTF-8, not JSON
    │   ├── TooLarge          beyond a limit that is named
    │   └── InvalidRows       readable, but not one row is an invoice line
    └── Retryable         the world failed, not the data: the same call may succeed later
        ├── Throttled         asked to slow down
        └── Unavailable       time-out, lost connection or a 5xx

Nothing here carries a caller's values, so a message can go into a log or an answer as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RowError:
    """Why one row was refused: `index` counts rows from 0; `field` is None where the whole row is meant."""

    index: int
    field: str | None
    message: str


class Rejected(Exception):
    """The data is at fault; sending it again changes nothing."""


class Malformed(Rejected):
    """The bytes cannot be read at all."""


class TooLarge(Rejected):
    """`actual` went beyond `limit`; both count `unit`. `actual` is a lower bound where reading stopped early."""

    def __init__(self, what: str, *, limit: int, actual: int, unit: str = "bytes") -> None:
        super().__init__(f"{what}: {actual:,} {unit}, and the limit is {limit:,} {unit}")
        self.limit = limit
        self.actual = actual


class InvalidRows(Rejected):
    """No row could be taken; `errors` names each one."""

    def __init__(self, message: str, errors: Sequence[RowError]) -> None:
        super().__init__(message)
        self.errors = tuple(errors)


class Retryable(Exception):
    """Nothing is wrong with the data; try the same call again after a pause."""


class Throttled(Retryable):
    """A service asked us to slow down."""


class Unavailable(Retryable):
    """A service did not answer, or answered with an error of its own."""
