"""Faults between botocore and AWS, below the SDK's own retries, which therefore run as they would."""

from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from random import Random
from types import SimpleNamespace
from typing import Any, Protocol

import botocore.endpoint
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, ReadTimeoutError
from botocore.httpsession import URLLib3Session

from chaos.aws_call import AwsCall, call_of
from chaos.crash import Crash, TimeIsUp
from chaos.decisions import Decisions, Fault
from chaos.partial import partly
from chaos.weather import CALM, Weather
from local_runtime.event_source_mapping import VirtualClock

_SLOWEST_SECONDS = 25.0


class Client(Protocol):
    @property
    def meta(self) -> Any:  # boto3-stubs know no common type of clients
        ...


@dataclass(slots=True)
class AwsFaults:
    """The way to AWS. `puts` are the records that the stream really took, whatever its caller was told.

    `time_limit` is when Lambda ends the invocation that is running, by `clock`.
    """

    decisions: Decisions
    clock: VirtualClock
    prefix: str
    weather: Weather = CALM
    time_limit: float | None = None
    puts: list[tuple[str, bytes]] = field(default_factory=list)
    _session: URLLib3Session = field(default_factory=URLLib3Session)

    def attach(self, client: Client) -> None:
        """Every call of this client goes this way from now on."""
        client.meta.events.register("before-send", self._send)

    def close(self) -> None:
        self._session.close()

    def _send(self, request: AWSPreparedRequest, event_name: str, **_: object) -> AWSResponse:
        call = call_of(event_name, request, self.prefix)
        fault, chance = self.decisions.next(call.place, call.name, self.weather.aws(call.operation))
        match fault:
            case Fault.LOST_REQUEST:
                raise EndpointConnectionError(endpoint_url=call.request.url)
            case Fault.CRASH_BEFORE:
                raise Crash
            case Fault.THROTTLED | Fault.SERVER_ERROR | Fault.EXPIRED:
                return _refusal(call, fault, chance)
            case Fault.PARTIAL:
                return partly(call, chance, self._deliver)
            case Fault.SLOW:
                self._pass_time(chance.uniform(0.1, _SLOWEST_SECONDS))
        return self._delivered(call, fault, chance)

    def _delivered(self, call: AwsCall, fault: Fault | None, chance: Random) -> AWSResponse:
        """AWS has done what it was asked; whether the caller hears of it is another matter."""
        response = self._deliver(call.request)
        if call.operation == "PutRecord" and response.status_code == HTTPStatus.OK:
            parameters = call.parameters
            self.puts.append((parameters["PartitionKey"], b64decode(parameters["Data"])))
        if fault in (Fault.CRASH_AFTER, Fault.LOST_ANSWER):
            _ = response.content  # a body that nobody reads would keep its connection
        if fault is Fault.CRASH_AFTER:
            raise Crash
        if fault is Fault.LOST_ANSWER:
            raise chance.choice((ConnectionClosedError, ReadTimeoutError))(endpoint_url=call.request.url)
        return response

    def _deliver(self, request: AWSPreparedRequest) -> AWSResponse:
        response: AWSResponse = self._session.send(request)
        return response

    def _pass_time(self, seconds: float) -> None:
        self.clock.sleep(seconds)
        if self.time_limit is not None and self.clock.now() > self.time_limit:
            raise TimeIsUp


def _refusal(call: AwsCall, fault: Fault, chance: Random) -> AWSResponse:
    match fault:
        case Fault.THROTTLED:
            return call.throttled(chance.random())
        case Fault.SERVER_ERROR:
            return call.failed(chance.random())
        case _:
            return call.refused(HTTPStatus.BAD_REQUEST, "ExpiredIteratorException")


@contextmanager
def virtual_backoff(clock: VirtualClock) -> Iterator[None]:
    """botocore's pauses between its own retries pass on the virtual clock."""
    endpoint: Any = botocore.endpoint  # it offers no way to be handed a clock
    real, endpoint.time = endpoint.time, SimpleNamespace(sleep=clock.sleep)
    try:
        yield
    finally:
        endpoint.time = real
