"""API keys: the dependency that requires one for a route, and the authenticator that checks it."""

from collections.abc import Callable
from dataclasses import dataclass
from hmac import compare_digest
from threading import Lock
from typing import Generic, TypeAlias, TypeVar

from fastapi.params import Security
from fastapi.security import APIKeyHeader
from starlette.requests import HTTPConnection

from aws.api_keys import KEY_CACHE_SECONDS, Scope, StoredKey, key_hash, parse_key_id
from pipeline_api.asgi import RunBlocking
from pipeline_api.problems import Forbidden, Unauthenticated

KEY_HEADER = "X-Api-Key"
_DESCRIPTION = (
    "`<id>.<secret>`, as `python -m pipeline_ops keys create` prints it; `make run` creates one. "
    "A key has scopes: `ingest` permits sending rows, `read` permits queries, and `correct`, in addition to `ingest`, "
    "permits rows with `AsOf` or `Withdrawn`."
)
_CACHED_KEYS = 1_000
_CACHED_MISSES = 1_000  # separate from the keys, so that a flood of wrong keys cannot push out a valid one

Authorize: TypeAlias = Callable[[str | None, Scope | None], None]
"""`Authenticator.authorize`, or a substitute for it."""


def require_key(authorize: Authorize, run: RunBlocking, scope: Scope | None) -> Security:
    """A dependency for routers: the caller needs a key with this scope, or any valid key if it is None."""
    return Security(_RequiredKey(authorize, run, scope), scopes=[scope] if scope else [])


class _RequiredKey(APIKeyHeader):
    """The base class documents the header. We read it here: FastAPI takes 10 µs longer to pass it in."""

    def __init__(self, authorize: Authorize, run: RunBlocking, scope: Scope | None) -> None:
        super().__init__(name=KEY_HEADER, scheme_name="ApiKey", description=_DESCRIPTION)
        self._authorize = authorize
        self._run = run
        self._scope = scope

    async def __call__(self, request: HTTPConnection) -> None:
        await self._run(self._authorize, request.headers.get(KEY_HEADER), self._scope)


class Authenticator:
    """`find` reads a key from the table by its id. `clock` counts seconds and never goes back."""

    def __init__(self, find: Callable[[str], StoredKey | None], clock: Callable[[], float]) -> None:
        self._find = find
        self._keys: TtlCache[StoredKey] = TtlCache(clock, KEY_CACHE_SECONDS, _CACHED_KEYS)
        self._misses: TtlCache[bool] = TtlCache(clock, KEY_CACHE_SECONDS, _CACHED_MISSES)

    def authorize(self, text: str | None, scope: Scope | None) -> None:
        """Check the text of a key, and that the key has the scope, if one is given.

        Raises Unauthenticated or Forbidden, or Retryable if the table cannot be read.
        """
        key_id = parse_key_id(text or "")
        key = self._key(key_id) if key_id else None
        if key is None or not compare_digest(key_hash(text or ""), key.hash):
            raise Unauthenticated("the header X-Api-Key must have a valid API key")
        if scope is not None and scope not in key.scopes:
            raise Forbidden("the API key does not permit this")

    def _key(self, key_id: str) -> StoredKey | None:
        if (cached := self._keys.get(key_id)) or self._misses.get(key_id):
            return cached
        found = self._find(key_id)
        if found is None or found.revoked_at is not None:
            self._keys.delete(key_id)
            self._misses.set(key_id, value=True)
            return None
        self._keys.set(key_id, found)
        return found


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Entry(Generic[T]):
    value: T
    expires_at: float


class TtlCache(Generic[T]):
    """Holds at most `size` values, each for `seconds`. If it is full, the oldest entry makes room. Thread-safe."""

    def __init__(self, clock: Callable[[], float], seconds: float, size: int) -> None:
        self._clock = clock
        self._seconds = seconds
        self._size = size
        self._entries: dict[str, _Entry[T]] = {}
        self._lock = Lock()

    def get(self, name: str) -> T | None:
        entry = self._entries.get(name)
        return entry.value if entry and self._clock() < entry.expires_at else None

    def set(self, name: str, value: T) -> None:
        with self._lock:
            self._entries.pop(name, None)
            if len(self._entries) >= self._size:
                del self._entries[next(iter(self._entries))]
            self._entries[name] = _Entry(value, self._clock() + self._seconds)

    def delete(self, name: str) -> None:
        with self._lock:
            self._entries.pop(name, None)
