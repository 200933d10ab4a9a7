"""Where the next page begins, as a text that callers hand back and need not understand."""

import base64
import binascii
from hashlib import blake2b

from invoices.errors import Malformed

LONGEST_TOKEN = 100
_SEAL_BYTES = 9


def page_token(query: str, position: str) -> str:
    """A token for the page of `query` behind `position`."""
    place = position.encode()
    return base64.urlsafe_b64encode(_seal(query, place) + place).decode().rstrip("=")


def position_in(token: str, query: str) -> str:
    """Raises Malformed for a token that was changed, or that another query answered.

    The seal finds mistakes; it is no secret. Whoever makes a token by hand reads what the query would show anyway.
    """
    try:
        sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        position = sealed[_SEAL_BYTES:].decode()
    except (binascii.Error, ValueError):
        raise _not_ours() from None
    if page_token(query, position) != token:
        raise _not_ours()
    return position


def _seal(query: str, place: bytes) -> bytes:
    return blake2b(place, digest_size=_SEAL_BYTES, key=blake2b(query.encode()).digest()).digest()


def _not_ours() -> Malformed:
    return Malformed("next_token is not one that this query answered")
