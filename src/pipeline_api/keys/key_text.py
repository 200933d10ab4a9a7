"""The text of an API key, `<id>.<secret>`: the id is public and finds the key, the secret proves it."""

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256

_ID_BYTES = 6
_SECRET_BYTES = 32  # 256 random bits: nobody guesses them, so a fast hash keeps them as safe as a slow one
_KEY = re.compile(r"(?P<id>[0-9a-f]{12})\.[A-Za-z0-9_-]{43}\Z")


def new_key_text(random_bytes: Callable[[int], bytes]) -> str:
    """`random_bytes` must be fit for secrets: `secrets.token_bytes`."""
    secret = urlsafe_b64encode(random_bytes(_SECRET_BYTES)).rstrip(b"=").decode()
    return f"{random_bytes(_ID_BYTES).hex()}.{secret}"


def key_id_in(text: str) -> str | None:
    """None where the text does not even look like a key: then nobody needs to be asked."""
    found = _KEY.match(text)
    return found["id"] if found else None


def hash_of(text: str) -> bytes:
    return sha256(text.encode()).digest()
