"""To our code an injected fault is the same as one of AWS's own."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from aws.clients import dynamodb_client, kinesis_client, s3_client
from aws.errors import translate_errors
from chaos.aws_faults import AwsFaults, virtual_backoff
from chaos.faults import Crash, Fault, FaultPlan, FaultProfile
from invoices.errors import Retryable, Throttled, Unavailable
from local_runtime.event_source_mapping import VirtualClock


@dataclass(frozen=True)
class Always(FaultProfile):
    """Every call meets `fault`, so no call leaves this process."""

    fault: Fault = Fault.CRASH_BEFORE

    def rates(self, place: str) -> Mapping[Fault, float]:  # noqa: ARG002 - the same everywhere
        return {self.fault: 1.0}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualClock]:
    """botocore's pauses pass on it."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        monkeypatch.setenv(name, "us-east-1")
    virtual = VirtualClock()
    with virtual_backoff(virtual):
        yield virtual


def put_record(faults: AwsFaults) -> None:
    client = kinesis_client()
    faults.attach(client)
    client.put_record(StreamName="rows", Data=b"", PartitionKey="key")


def put_object(faults: AwsFaults) -> None:
    client = s3_client()
    faults.attach(client)
    client.put_object(Bucket="bucket", Key="key", Body=b"")


def batch_write(faults: AwsFaults) -> None:
    client = dynamodb_client()
    faults.attach(client)
    client.batch_write_item(RequestItems={"table": [{"PutRequest": {"Item": {"Id": {"S": "1"}}}}]})


@pytest.mark.parametrize("call", [put_record, put_object, batch_write])
@pytest.mark.parametrize(
    ("fault", "meaning"),
    [(Fault.THROTTLED, Throttled), (Fault.SERVER_ERROR, Unavailable), (Fault.LOST_REQUEST, Unavailable)],
)
def test_a_fault_is_retryable(
    call: Callable[[AwsFaults], Any], fault: Fault, meaning: type[Retryable], clock: VirtualClock
) -> None:
    """After the SDK's own three attempts, which are decided on one by one."""
    plan = FaultPlan(1, Always(1.0, fault=fault))

    with pytest.raises(meaning), translate_errors("AWS"):
        call(AwsFaults(plan, clock, "seed"))
    assert [(decision.nth, decision.fault) for decision in plan.decisions] == [(0, fault), (1, fault), (2, fault)]


@pytest.mark.parametrize("call", [put_record, put_object, batch_write])
def test_nothing_catches_a_crash(call: Callable[[AwsFaults], Any], clock: VirtualClock) -> None:
    """Neither the SDK nor our own code goes on in a process that is gone."""
    plan = FaultPlan(1, Always(1.0, fault=Fault.CRASH_BEFORE))

    with pytest.raises(Crash), translate_errors("AWS"):
        call(AwsFaults(plan, clock, "seed"))
