"""What a bill consists of."""

from dataclasses import dataclass

GB = 1e9
"""AWS counts some of its gigabytes as 2^30 bytes, so a true bill is up to 7 % less in these."""

DAYS_PER_MONTH = 30


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a bill: how much of what, and what it costs in dollars."""

    service: str
    what: str
    amount: float
    dollars: float


def entry(service: str, what: str, amount: float, dollars_each: float) -> Entry:
    return Entry(service, what, amount, amount * dollars_each)
