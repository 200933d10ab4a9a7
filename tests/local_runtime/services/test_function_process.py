"""The process that runs one function: what its parent hears, and how it ends."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from aws.clients import kinesis_client, s3_client
from local_runtime.engine import temporary_engine
from local_runtime.environment import aws_environment
from local_runtime.event_source_mapping import CheckpointStep, StreamRecord
from local_runtime.function_process import checkpoint_line

MAPPING: dict[str, object] = {"StartingPosition": "TRIM_HORIZON", "BatchSize": 10}
NOWHERE = "http://127.0.0.1:9"  # the discard port, on which nobody listens
STRICT = MAPPING | {
    "MaximumRetryAttempts": 0,
    "BisectBatchOnFunctionError": True,
    "DestinationConfig": {"OnFailure": {"Type": "S3", "Destination": "arn:aws:s3:::raw-bucket"}},
}


def environment(endpoint: str) -> dict[str, str]:
    """This process's own, with the engine in place of AWS."""
    return {**os.environ, **aws_environment(endpoint)}


def command(mapping: object) -> list[str]:
    handler = "tests.local_runtime.tiny_handler.handler"
    start = [sys.executable, "-m", "local_runtime.function_process"]
    return [*start, "--handler", handler, "--stream", "rows", "--mapping", json.dumps(mapping)]


@contextmanager
def function_process(env: dict[str, str], mapping: object) -> Iterator["subprocess.Popen[str]"]:
    pipe = subprocess.PIPE
    with subprocess.Popen(command(mapping), env=env, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def lines(process: "subprocess.Popen[str]", records: int) -> list[dict[str, object]]:
    """What the process says until that many records are through."""
    said: list[dict[str, object]] = []
    through = 0
    while through < records and process.stdout:
        said.append(json.loads(process.stdout.readline()))
        through += sum(len(keys) for keys in said[-1].values() if isinstance(keys, list))
    return said


def wait_until_imported(process: "subprocess.Popen[str]") -> None:
    """From then on the process watches signals and its parent."""
    assert process.stderr
    assert process.stderr.readline() == "imported\n"


def test_a_checkpoint_becomes_one_line() -> None:
    """Partition keys that were acknowledged; discarded ones apart, and only where there are some."""
    record = StreamRecord("shardId-0", "9", "batch-1", b"", 0.0)
    done = CheckpointStep("shardId-0", "9", (record,), (), 12)
    discarded = CheckpointStep("shardId-0", "9", (), (record,), 12)

    assert checkpoint_line(done) == {"acknowledged": ["batch-1"], "iterator_age_ms": 12}
    assert checkpoint_line(discarded) == {"acknowledged": [], "iterator_age_ms": 12, "discarded": ["batch-1"]}


@pytest.mark.end_to_end
def test_records_of_a_real_stream_reach_the_handler(monkeypatch: pytest.MonkeyPatch) -> None:
    """Good ones are acknowledged, a poison one lies in the bucket, prints stay off standard output, SIGTERM is 0."""
    with temporary_engine() as engine:
        env = environment(engine.endpoint)
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        kinesis, s3 = kinesis_client(), s3_client()
        kinesis.create_stream(StreamName="rows", ShardCount=1)
        s3.create_bucket(Bucket="raw-bucket")
        for key in ("first", "poison", "last"):
            kinesis.put_record(StreamName="rows", PartitionKey=key, Data=b"data")
        with function_process(env, STRICT) as process:
            said = lines(process, 3)
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=30)
        dead = [entry["Key"] for entry in s3.list_objects_v2(Bucket="raw-bucket")["Contents"]]

    assert [line.get("acknowledged") for line in said] == [["first"], [], ["last"]]
    assert said[1]["discarded"] == ["poison"]
    assert process.returncode == 0
    assert errors.startswith("imported\nhandled first poison last True\n")
    assert [key.split("/")[3] for key in dead] == ["shardId-000000000000"]


def test_it_waits_for_an_engine_that_is_away_and_ends_on_sigterm() -> None:
    """Nobody listens on that port: no crash, nothing to say, and exit code 0."""
    with function_process(environment(NOWHERE), MAPPING) as process:
        wait_until_imported(process)
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=60)

    assert (process.returncode, output, errors) == (0, "", "")


def test_it_ends_when_its_parent_dies() -> None:
    """Its standard error, which the dead parent handed on, comes to its end."""
    code = f"import subprocess; subprocess.Popen({command(MAPPING)!r}).wait()"
    pipe = subprocess.PIPE
    start = [sys.executable, "-c", code]
    with subprocess.Popen(start, env=environment(NOWHERE), stdout=pipe, stderr=pipe, text=True) as parent:
        wait_until_imported(parent)
        parent.kill()

        assert parent.communicate(timeout=60) == ("", "")


def test_it_ends_when_nobody_reads_what_it_says() -> None:
    """The parent died before this process could look for it."""
    with function_process(environment(NOWHERE), MAPPING) as process:
        wait_until_imported(process)
        assert process.stdout
        process.stdout.close()

        assert process.wait(timeout=60) == 0


def test_wrong_properties_are_a_usage_error() -> None:
    """With the property's name, before anything is started."""
    wrong = MAPPING | {"BatchSize": 0}
    done = subprocess.run(command(wrong), env=environment(NOWHERE), capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "BatchSize" in done.stderr
