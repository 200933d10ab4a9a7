"""What was measured, beside its goal."""

from dataclasses import dataclass

from bench.duel import Ratio


@dataclass(frozen=True, slots=True)
class Finding:
    """`met` is None where there is no goal, only a figure."""

    what: str
    goal: str
    measured: str
    met: bool | None
    note: str = ""


def at_least(what: str, ratio: Ratio, goal: float, note: str = "") -> Finding:
    return Finding(what, f">= {goal:g} x", f"{ratio} x", ratio.median >= goal, note)


def at_most(what: str, ratio: Ratio, goal: float, note: str = "") -> Finding:
    return Finding(what, f"<= {goal:g}", str(ratio), ratio.median <= goal, note)


def figure(what: str, measured: str, note: str = "") -> Finding:
    return Finding(what, "", measured, None, note)
