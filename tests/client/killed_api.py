"""An API in whose face the client dies: what a SIGKILL leaves behind, without one."""

import httpx

from tests.client.fake_api import FakeApi
from tests.client.run_client import Handler


class Killed(BaseException):
    """The client is gone; nobody may catch this."""


def killed_at(api: FakeApi, request: int, *, is_lost: bool = False) -> Handler:
    """The client dies with this request (from 1), before the API has it or, if `is_lost`, when it was taken."""

    def handle(asked: httpx.Request) -> httpx.Response:
        if len(api.requests) + 1 < request:
            return api(asked)
        if is_lost:
            api(asked)
        raise Killed

    return handle
