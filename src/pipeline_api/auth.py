"""The key in front of a route, and in the OpenAPI document: from there the docs page has its Authorize button."""

from collections.abc import Callable
from dataclasses import dataclass
from hmac import compare_digest
from threading import Lock
from typing import Generic, TypeAlias, TypeVar

from fastapi.params import Security
from fastapi.security import APIKeyHeader
from starlette.requests import HTTPConnection

from aws.api_keys import Scope, StoredKey, key_hash, parse_key_id
from pipeline_api.errors import Forbidden, Unauthenticated
from pipeline_api.running import Run

# Answers that are kept for a while, and never too many of them.

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


# Lets a key's holder in, or not; and says no more than that.

KEPT_SECONDS = 60.0
"""A revoked key stops within this time in every container, and each asks the table once in it for each key."""

_KEPT_KEYS = 1_000
_KEPT_MISSES = 1_000  # apart from the keys: a flood of wrong ones must not push out a right one

Find: TypeAlias = Callable[[str], StoredKey | None]
Admit: TypeAlias = Callable[[str | None, Scope | None], None]
"""Passes a key's text for a scope, or for any scope where that is None; raises Unauthenticated or Forbidden."""


class Gate:
    """`find` asks the table by a key's id; `clock` counts seconds and never goes back."""

    def __init__(self, find: Find, clock: Callable[[], float]) -> None:
        self._find = find
        self._keys: Remembered[StoredKey] = Remembered(clock, KEPT_SECONDS, _KEPT_KEYS)
        self._misses: Remembered[bool] = Remembered(clock, KEPT_SECONDS, _KEPT_MISSES)

    def admit(self, text: str | None, scope: Scope | None) -> None:
        """Raises Unauthenticated, Forbidden, or Retryable where the table cannot be asked."""
        key_id = parse_key_id(text or "")
        key = self._key(key_id) if key_id else None
        if key is None or not compare_digest(key_hash(text or ""), key.hash):
            raise Unauthenticated("a valid API key is needed in the header X-Api-Key")
        if scope is not None and scope not in key.scopes:
            raise Forbidden("the API key does not permit this")

    def _key(self, key_id: str) -> StoredKey | None:
        if (kept := self._keys.get(key_id)) or self._misses.get(key_id):
            return kept
        found = self._find(key_id)
        if found is None or found.revoked_at is not None:
            self._keys.forget(key_id)
            self._misses.keep(key_id, value=True)
            return None
        self._keys.keep(key_id, found)
        return found


_HEADER = "X-Api-Key"
_DESCRIPTION = (
    "`<id>.<secret>`, as `python -m pipeline_ops keys create` prints it; `make run` makes one. "
    "A key has scopes: `ingest` to send rows, `read` to ask for them."
)


class _KeyNeeded(APIKeyHeader):
    """Reads the header by itself: handed over by FastAPI it costs ten microseconds more."""

    def __init__(self, admit: Admit, run: Run, scope: Scope | None) -> None:
        super().__init__(name=_HEADER, scheme_name="ApiKey", description=_DESCRIPTION)
        self._admit = admit
        self._run = run
        self._scope = scope

    async def __call__(self, request: HTTPConnection) -> None:
        await self._run(self._admit, request.headers.get(_HEADER), self._scope)


def needs_key(admit: Admit, run: Run, scope: Scope | None) -> Security:
    """A dependency for routers: the caller needs a key with this scope, or just a key where it is None."""
    return Security(_KeyNeeded(admit, run, scope), scopes=[scope] if scope else [])
