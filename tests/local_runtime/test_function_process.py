"""The process that runs one function: what it reports to its parent, and how it ends."""

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
from local_runtime.function_process import is_reader_gone, parent_watch

pytestmark = pytest.mark.slow

MAPPING: dict[str, object] = {"StartingPosition": "TRIM_HORIZON", "BatchSize": 10}
NOWHERE = "http://127.0.0.1:9"  # the discard port: nobody listens on it
STRICT = MAPPING | {
    "MaximumRetryAttempts": 0,
    "BisectBatchOnFunctionError": True,
    "DestinationConfig": {"OnFailure": {"Type": "S3", "Destination": "arn:aws:s3:::raw-bucket"}},
}


def environment(endpoint: str) -> dict[str, str]:
    """This process's environment, with the engine in place of AWS."""
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
    """The messages of the process until that many records are done."""
    messages: list[dict[str, object]] = []
    done = 0
    while done < records and process.stdout:
        messages.append(json.loads(process.stdout.readline()))
        done += sum(len(keys) for keys in messages[-1].values() if isinstance(keys, list))
    return messages


def wait_until_imported(process: "subprocess.Popen[str]") -> None:
    """From then on, the process watches for signals and for its parent's end."""
    assert process.stderr
    assert process.stderr.readline() == "imported\n"


@pytest.mark.end_to_end
def test_records_of_a_real_stream_reach_the_handler(monkeypatch: pytest.MonkeyPatch) -> None:
    """Good records are acknowledged, a poison record is in the bucket, and SIGTERM ends the process with 0.

    What the handler prints is on standard error.
    """
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
            messages = lines(process, 3)
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=30)
        dead = [entry["Key"] for entry in s3.list_objects_v2(Bucket="raw-bucket")["Contents"]]

    assert [line.get("acknowledged") for line in messages] == [["first"], [], ["last"]]
    assert messages[1]["discarded"] == ["poison"]
    assert process.returncode == 0
    assert errors.startswith("imported\nhandled first poison last True\n")
    assert [key.split("/")[3] for key in dead] == ["shardId-000000000000"]


def test_it_waits_for_an_engine_that_is_not_there_and_ends_on_sigterm() -> None:
    """Nobody listens on that port. The process does not crash, reports nothing, and ends with 0."""
    with function_process(environment(NOWHERE), MAPPING) as process:
        wait_until_imported(process)
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=60)

    assert (process.returncode, output, errors) == (0, "", "")


def test_it_ends_when_its_parent_dies() -> None:
    """Both standard streams, which it inherited from its parent, are closed then."""
    code = f"import subprocess; subprocess.Popen({command(MAPPING)!r}).wait()"
    pipe = subprocess.PIPE
    start = [sys.executable, "-c", code]
    with subprocess.Popen(start, env=environment(NOWHERE), stdout=pipe, stderr=pipe, text=True) as parent:
        wait_until_imported(parent)
        parent.kill()

        assert parent.communicate(timeout=60) == ("", "")


def test_it_ends_when_nobody_reads_its_output() -> None:
    """The parent ended before this process could watch it."""
    with function_process(environment(NOWHERE), MAPPING) as process:
        wait_until_imported(process)
        assert process.stdout
        process.stdout.close()

        assert process.wait(timeout=60) == 0


def test_wrong_properties_are_a_usage_error() -> None:
    """The message names the property, and nothing is started."""
    wrong = MAPPING | {"BatchSize": 0}
    done = subprocess.run(command(wrong), env=environment(NOWHERE), capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "BatchSize" in done.stderr


def test_a_new_parent_means_that_ours_has_ended() -> None:
    """The system gives an orphan another parent."""
    parents = iter([100, 100, 1, 1])
    has_new_parent = parent_watch(lambda: next(parents))

    assert [has_new_parent(), has_new_parent(), has_new_parent()] == [False, True, True]


def test_a_pipe_tells_when_its_reader_is_gone() -> None:
    """It does not report this earlier."""
    reading, writing = os.pipe()
    before = is_reader_gone(writing)
    os.close(reading)
    after = is_reader_gone(writing)
    os.close(writing)

    assert (before, after) == (False, True)
