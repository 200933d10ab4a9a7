"""The bytes of a request, never more than the limit."""

from starlette.requests import Request

from invoices.errors import TooLarge
from invoices.limits import MAX_BODY_BYTES

_LONGEST_LENGTH = 18  # digits; a Content-Length of more is no size but an attack on int()


async def read_body(request: Request) -> bytes:
    """Raises TooLarge by what Content-Length says, before reading, or as soon as the limit is passed."""
    _check_size(_declared_size(request))
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        _check_size(size)
        chunks.append(chunk)
    return b"".join(chunks)


def _declared_size(request: Request) -> int:
    digits = request.headers.get("content-length", "")[:_LONGEST_LENGTH]
    return int(digits) if digits.isascii() and digits.isdecimal() else 0


def _check_size(size: int) -> None:
    if size > MAX_BODY_BYTES:
        raise TooLarge("the body is too large", limit=MAX_BODY_BYTES, actual=size)
