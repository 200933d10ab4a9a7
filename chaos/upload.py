"""The client's part of a scenario: the real `send` over a network with faults, until every row has an answer."""

import asyncio
import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random

import httpx
import uuid6
from starlette.types import ASGIApp

from chaos.faults import Crash, Fault, FaultPlan, NeverEnds
from chaos.rows import COLUMNS, GeneratedRow
from client.api import Address
from client.batches import AnsweredBatch
from client.environment import Environment
from client.send import SendSettings, send
from client.upload import UploadStats
from local_runtime.event_source_mapping import VirtualClock

ADDRESS = Address("http://api.test")
BATCH_ID = "Idempotency-Key"
_MOST_STARTS = 30
_BATCH_ROWS = (3, 5, 12, 30, 5_000)
_FIRST_KEY_MILLIS = 1_700_000_000_000
_LOST_RESPONSES = (httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError)
_GATEWAY_STATUSES = (500, 502, 503, 504)


@dataclass(slots=True)
class Upload:
    """What the client says of a file, over all its starts.

    `stats` are those of its last summary, `answered` the batches that it knows as accepted, and `rejects` line, field
    and reason of each rejected row.
    """

    stats: UploadStats = field(default_factory=UploadStats)
    answered: list[str] = field(default_factory=list)
    rejects: list[tuple[str, str, str]] = field(default_factory=list)
    starts: int = 0

    def batch_answered(self, batch: AnsweredBatch) -> None:
        if batch.response["accepted"]:
            self.answered.append(batch.key)


def upload(file: Path, environment: Environment, chance: Random) -> Upload:
    """Do what a user does: send the file, and send it again as long as the client calls it incomplete."""
    done = Upload()
    while done.starts < _MOST_STARTS:
        done.starts += 1
        rejects = file.with_name(f"rejects-{done.starts}.csv")
        settings = SendSettings(file, ADDRESS, chance.choice(_BATCH_ROWS), chance.randint(1, 4), rejects=rejects)
        summary = send(settings, environment, done)
        if summary.is_complete:
            done.stats = summary.stats
            if rejects.exists():
                done.rejects = _read_rejects(rejects)
            return done
    raise NeverEnds("the upload")


def write_rows(path: Path, rows: Sequence[GeneratedRow]) -> Path:
    """One row a line; the first row is on line 2."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *(row.texts for row in rows)])
    return path


def client_environment(network: "FaultyNetwork", clock: VirtualClock, plan: FaultPlan) -> Environment:
    """Time passes only while the client sleeps; its random numbers and its keys come from the seed."""
    chance, names, numbers = plan.chance("client"), plan.chance("keys"), count()

    async def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        await asyncio.sleep(0)

    return Environment(
        transport=network,
        clock=clock.now,
        now=clock.now,
        sleep=sleep,
        uniform=chance.uniform,
        new_key=lambda: _uuid7(next(numbers), names),
    )


@dataclass(slots=True)
class FaultyNetwork(httpx.AsyncBaseTransport):
    """Faults between the client and the API. `asked` are the batch ids of all requests, answered or not.

    `new_app` makes a new container of the API: the first one, and one after each crash. `before_request` is called
    before anything happens to a request.
    """

    new_app: Callable[[], ASGIApp]
    plan: FaultPlan
    before_request: Callable[[], object] = lambda: None
    asked: list[str] = field(default_factory=list)
    requests: int = 0
    _api: httpx.ASGITransport | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.before_request()
        if key := request.headers.get(BATCH_ID):
            self.asked.append(key)
        self.requests += 1
        if self.requests - 1 in self.plan.profile.outage:
            raise httpx.ConnectError("injected: an outage", request=request)
        name = key or request.url.raw_path.decode()
        fault, chance = self.plan.draw(f"http.{request.method}", name)
        match fault:
            case Fault.LOST_REQUEST:
                raise httpx.ConnectError("injected", request=request)
            case Fault.THROTTLED:
                return httpx.Response(429, headers={"Retry-After": chance.choice(("0", "1", "7", "soon"))})
            case Fault.SERVER_ERROR:
                return httpx.Response(chance.choice(_GATEWAY_STATUSES), html="<html>injected</html>")
        response = await self._ask_api(request)
        return _lose(request, response, chance) if fault is Fault.LOST_RESPONSE else response

    async def _ask_api(self, request: httpx.Request) -> httpx.Response:
        self._api = self._api or httpx.ASGITransport(self.new_app(), raise_app_exceptions=False)
        try:
            return await self._api.handle_async_request(request)
        except Crash as crash:
            self._api = None
            raise httpx.RemoteProtocolError("the server is gone", request=request) from crash


def _lose(request: httpx.Request, response: httpx.Response, chance: Random) -> httpx.Response:
    """The API has done its work; the caller gets nothing, or a gateway's error."""
    if chance.random() < 0.3:  # noqa: PLR2004 - gateways time out less often than connections break
        return httpx.Response(504, html="<html>injected</html>")
    raise chance.choice(_LOST_RESPONSES)(f"injected, instead of {response.status_code}", request=request)


def _read_rejects(path: Path) -> list[tuple[str, str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [(row["line"], row["field"], row["reason"]) for row in csv.DictReader(file)]


def _uuid7(number: int, chance: Random) -> str:
    """Its time is the batch's number, so a seed names its batches the same in every run."""
    return str(uuid6.UUID(int=((_FIRST_KEY_MILLIS + number) << 80) | chance.getrandbits(80), version=7))
