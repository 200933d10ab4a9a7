"""A made-up fault is to our code what AWS's own would be."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from aws.clients import dynamodb_client, kinesis_client, s3_client
from aws.errors import translate_errors
from chaos.aws_faults import AwsFaults, virtual_backoff
from chaos.crash import Crash
from chaos.decisions import Decisions, Fault
from chaos.weather import Weather
from invoices.errors import Retryable, Throttled, Unavailable
from local_runtime.event_source_mapping import VirtualClock


@dataclass(frozen=True)
class Always(Weather):
    """Every call meets `fault`, so none leaves this process."""

    fault: Fault = Fault.CRASH_BEFORE

    def aws(self, operation: str) -> Mapping[Fault, float]:  # noqa: ARG002 - the weather depends on it
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
    decisions = Decisions(1)

    with pytest.raises(meaning), translate_errors("AWS"):
        call(AwsFaults(decisions, clock, "seed", Always(1.0, fault=fault)))
    assert [(decision.nth, decision.fault) for decision in decisions.made] == [(0, fault), (1, fault), (2, fault)]


@pytest.mark.parametrize("call", [put_record, put_object, batch_write])
def test_nothing_catches_a_crash(call: Callable[[AwsFaults], Any], clock: VirtualClock) -> None:
    """Neither the SDK nor our own code goes on in a process that is gone."""
    with pytest.raises(Crash), translate_errors("AWS"):
        call(AwsFaults(Decisions(1), clock, "seed", Always(1.0, fault=Fault.CRASH_BEFORE)))
