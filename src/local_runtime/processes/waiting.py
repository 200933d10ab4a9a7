"""Waiting for a server to answer, for as long as its process lives."""

import time
from collections.abc import Callable

import httpx

from local_runtime.errors import RunError
from local_runtime.processes.process import Process

_LONGEST_SECONDS = 60.0
_PAUSE_SECONDS = 0.05


def wait_until_healthy(
    process: Process,
    url: str,
    *,
    is_healthy: Callable[[str], bool],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Raises ProcessEnded if the process gives up, RunError if it never answers."""
    deadline = clock() + _LONGEST_SECONDS
    while not is_healthy(url):
        process.check()
        if clock() > deadline:
            raise RunError(
                f"{process.command.name} did not answer within {_LONGEST_SECONDS:.0f} s; its log is "
                f"{process.command.log}"
            )
        sleep(_PAUSE_SECONDS)


def answers(url: str) -> bool:
    """True once the server says 200. A proxy of the user's never stands between."""
    try:
        with httpx.Client(trust_env=False, timeout=5) as client:
            return client.get(url).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
