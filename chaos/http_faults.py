"""Faults between the client and the API, in the place of the network."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import httpx
from starlette.types import ASGIApp

from chaos.crash import Crash
from chaos.decisions import Decisions, Fault
from chaos.weather import Weather

_LOST_ANSWERS = (httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError)
_GATEWAY_STATUSES = (500, 502, 503, 504)


@dataclass(slots=True)
class FaultyNetwork(httpx.AsyncBaseTransport):
    """`new_app` is a new container of the API: one is made at first and after each crash.

    `before_request` is called with each request before anything happens to it.
    """

    new_app: Callable[[], ASGIApp]
    decisions: Decisions
    weather: Weather
    before_request: Callable[[httpx.Request], None]
    requests: int = 0
    _api: httpx.ASGITransport | None = field(default=None)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.before_request(request)
        name = request.headers.get("Idempotency-Key") or request.url.raw_path.decode()
        self.requests += 1
        if self.requests - 1 in self.weather.outage:
            raise httpx.ConnectError("made up: an outage", request=request)
        fault, chance = self.decisions.next(f"http.{request.method}", name, self.weather.http)
        match fault:
            case Fault.LOST_REQUEST:
                raise httpx.ConnectError("made up", request=request)
            case Fault.THROTTLED:
                return httpx.Response(429, headers={"Retry-After": chance.choice(("0", "1", "7", "soon"))})
            case Fault.SERVER_ERROR:
                return httpx.Response(chance.choice(_GATEWAY_STATUSES), html="<html>made up</html>")
        response = await self._answer(request)
        return _lost(request, response, chance) if fault is Fault.LOST_ANSWER else response

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        self._api = self._api or httpx.ASGITransport(self.new_app(), raise_app_exceptions=False)
        try:
            return await self._api.handle_async_request(request)
        except Crash as crash:
            self._api = None
            raise httpx.RemoteProtocolError("the server is gone", request=request) from crash


def _lost(request: httpx.Request, response: httpx.Response, chance: Random) -> httpx.Response:
    """The API has done its work; the caller gets nothing, or a gateway's error."""
    if chance.random() < 0.3:  # noqa: PLR2004 - gateways time out less often than connections break
        return httpx.Response(504, html="<html>made up</html>")
    raise chance.choice(_LOST_ANSWERS)(f"made up, in the place of {response.status_code}", request=request)
