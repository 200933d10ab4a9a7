"""`Prefer: wait=n` (RFC 7240): a response that comes when the rows of the batch can be queried."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from aws.receipts import ReceiptTable, body_id
from invoices.batch import unpack
from invoices.errors import Retryable
from invoices.limits import MAX_BODY_BYTES
from pipeline_api.asgi import RunBlocking
from pipeline_api.queries.models import ReceiptResponse
from pipeline_api.queries.queries import receipt_response

LONGEST_WAIT_SECONDS = 20
"""API Gateway gives up after 30 s."""

LAST_READ_SECONDS = 18.0
"""No read starts later than this after the request, so it is answered within 20 s, also if DynamoDB hangs."""

_FIRST_PAUSE_SECONDS = 0.05
_PAUSE_GROWTH = 1.5
_LONGEST_PAUSE_SECONDS = 1.0
_MOST_DIGITS = 9


def wait_seconds(prefer: str) -> int:
    """How long the header asks to wait, at most LONGEST_WAIT_SECONDS; 0 where it does not say.

    A preference that is unknown or invalid is ignored, as the RFC demands.
    """
    for preference in prefer.split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        if name.strip().lower() == "wait":
            digits = value.strip().strip('"')
            is_valid = digits.isascii() and digits.isdecimal() and len(digits) <= _MOST_DIGITS
            return min(int(digits), LONGEST_WAIT_SECONDS) if is_valid else 0
    return 0


@dataclass(frozen=True, slots=True)
class ReceiptWait:
    """`open_receipts` opens a table whose reads are short; the first request that waits calls it.

    `clock` counts seconds and never goes back. `sleep` must not block: other requests go on meanwhile.
    """

    open_receipts: Callable[[], ReceiptTable]
    run: RunBlocking
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def receipt_of(
        self, batch_id: str, record: bytes, seconds: int, requested_at: float
    ) -> ReceiptResponse | None:
        """The receipt of this record; None if there is none within the time. `requested_at` is a time of `clock`.

        A table that fails ends nothing: the rows are accepted, so the caller must not get an error.
        """
        body = body_id(batch_id, unpack(record, MAX_BODY_BYTES))
        deadline = min(self.clock() + seconds, requested_at + LAST_READ_SECONDS)
        pause = _FIRST_PAUSE_SECONDS
        while (left := deadline - self.clock()) > 0:
            await self.sleep(min(pause, left))
            pause = min(pause * _PAUSE_GROWTH, _LONGEST_PAUSE_SECONDS)
            with suppress(Retryable):
                if receipt := await self.run(self.open_receipts().of_body, batch_id, body):
                    return receipt_response([receipt])
        return None
