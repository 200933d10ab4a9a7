"""Answers that are kept for a while, and never too many of them."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    value: T
    until: float


class Remembered(Generic[T]):
    """For any number of threads; where there is no more room, what was kept first goes first."""

    def __init__(self, clock: Callable[[], float], seconds: float, size: int) -> None:
        self._clock = clock
        self._seconds = seconds
        self._size = size
        self._kept: dict[str, _Kept[T]] = {}
        self._lock = Lock()

    def get(self, name: str) -> T | None:
        kept = self._kept.get(name)
        return kept.value if kept and self._clock() < kept.until else None

    def keep(self, name: str, value: T) -> None:
        with self._lock:
            self._kept.pop(name, None)
            if len(self._kept) >= self._size:
                del self._kept[next(iter(self._kept))]
            self._kept[name] = _Kept(value, self._clock() + self._seconds)

    def forget(self, name: str) -> None:
        with self._lock:
            self._kept.pop(name, None)
