"""What the client takes from the machine: network, clocks, pauses, randomness and new keys."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx
import uuid6


@dataclass(frozen=True, slots=True)
class Environment:
    """The real ones; a test passes its own.

    `transport` None is the network. `clock` counts seconds from any moment, `now` from the epoch. `uniform` draws a
    number between two. `new_key` makes UUIDv7s: the API files a batch under the time that its key carries.
    """

    transport: httpx.AsyncBaseTransport | None = None
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    uniform: Callable[[float, float], float] = random.uniform
    new_key: Callable[[], str] = lambda: str(uuid6.uuid7())
