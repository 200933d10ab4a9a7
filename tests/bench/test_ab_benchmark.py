"""Sides are run in turns and compared round by round."""

from itertools import count

from bench.ab_benchmark import compare


def test_sides_take_turns() -> None:
    """From the front, then from the back, after a first round that does not count."""
    order: list[str] = []
    compare({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 1, rounds=2)
    assert order == ["a", "b", "a", "b", "b", "a"]


def test_a_ratio_is_the_median_of_rounds() -> None:
    """Each side's time is divided by the other's of the same round."""
    ticks = count()
    rounds = compare({"fast": lambda: None, "slow": lambda: [next(ticks) for _ in range(2)]}, 1, 3, lambda: next(ticks))
    assert rounds.speedup("fast", over="slow").median == 3.0


def test_a_turn_is_as_long_as_is_asked() -> None:
    """By the time of a side's first run; and what is kept is the time of one."""
    ticks = count()
    rounds = compare({"a": lambda: [next(ticks) for _ in range(4)]}, 1, 3, lambda: next(ticks), turn_seconds=20)
    assert rounds.seconds["a"] == [17 / 4] * 3
