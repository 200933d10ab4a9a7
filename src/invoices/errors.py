"""The errors of the pipeline, in one tree with two roots.

    Exception
    ├── Rejected          permanent: the same data fails every time, so nobody retries it
    │   ├── Malformed         the bytes are not gzip, not UTF-8 or not JSON
    │   ├── TooLarge          the data goes beyond a limit, which the message names
    │   └── InvalidRows       the bytes are readable, but no row is valid
    └── Retryable         transient: nothing is wrong with the data, so the same call may succeed later
        ├── Throttled         a service asked us to slow down
        └── Unavailable       a service did not answer, or answered with a 5xx

No message holds a value of the caller's, so every message can go into a log or an answer as it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class RowError:
    """Why a row was rejected. `index` counts rows from 0; `field` is None where the whole row is meant."""

    index: int
    field: str | None
    message: str


class Rejected(Exception):
    """A permanent error: the data is wrong, and sending it again changes nothing."""


class Malformed(Rejected):
    """The bytes cannot be read at all."""


class TooLarge(Rejected):
    """`actual` is beyond `limit`, both in `unit`. `actual` is a lower bound where reading stopped at the limit."""

    def __init__(self, what: str, *, limit: int, actual: int, unit: str = "bytes") -> None:
        super().__init__(f"{what}: {actual:,} {unit}, and the limit is {limit:,} {unit}")
        self.limit = limit
        self.actual = actual


class InvalidRows(Rejected):
    """No row is valid; `errors` names each one, and `rejected` has the bytes of each by its index."""

    def __init__(
        self, message: str, errors: Sequence[RowError], rejected: Mapping[int, bytes] = MappingProxyType({})
    ) -> None:
        super().__init__(message)
        self.errors = tuple(errors)
        self.rejected = rejected


class Retryable(Exception):
    """A transient error: the same call may succeed after a pause."""


class Throttled(Retryable):
    """A service asked us to slow down."""


class Unavailable(Retryable):
    """A service did not answer, or answered with an error of its own."""
