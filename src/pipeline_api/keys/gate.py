"""Lets a key's holder in, or not; and says no more than that."""

from collections.abc import Callable
from hmac import compare_digest
from typing import TypeAlias

from pipeline_api.keys.key_text import hash_of, key_id_in
from pipeline_api.keys.remembered import Remembered
from pipeline_api.keys.stored_key import Scope, StoredKey
from pipeline_api.refusals import Forbidden, Unauthenticated

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
        key_id = key_id_in(text or "")
        key = self._key(key_id) if key_id else None
        if key is None or not compare_digest(hash_of(text or ""), key.hash):
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
