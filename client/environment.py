"""What the client takes from the world around it: network, clocks, pauses, randomness and fresh keys."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx
import uuid6


def _new_key() -> str:
    return str(uuid6.uuid7())


@dataclass(frozen=True, slots=True)
class Environment:
    """The real things; a test puts its own in their place.

    `transport` None is the network. `clock` counts seconds from anywhere, `now` from the epoch. `uniform` draws
    between two numbers. `new_key` makes UUIDv7s, which carry the time that the API files a batch under.
    """

    transport: httpx.AsyncBaseTransport | None = None
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    uniform: Callable[[float, float], float] = random.uniform
    new_key: Callable[[], str] = _new_key
