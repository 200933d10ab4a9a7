"""A pipeline on this machine, and clients of it, whose processes can be killed outright."""

import json
import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from local_runtime.comparison import compare, read_expected, read_stored
from local_runtime.engine import start_engine
from local_runtime.environment import machine_environment
from local_runtime.folder import DataFolder, RunFolder, lock_data, lock_folder
from local_runtime.messages import ConsumerCheckpoint, Inbox, UploadSummary, consumer_line_parser, start_listener
from local_runtime.pipeline import API_KEY, create_key, start_pipeline
from local_runtime.processes import Command, Process, Supervisor, supervise
from local_runtime.stack.resources import create_resources
from local_runtime.stack.template import physical_names
from tests.local_runtime.templates import project_template

_POLL_SECONDS = 0.5
_PATIENCE_SECONDS = 120.0


class KillablePipeline:
    """`key` is the API's; it is another one after the engine was started again, whose memory is empty then."""

    def __init__(self, supervisor: Supervisor, folder: RunFolder, data: DataFolder) -> None:
        self._supervisor = supervisor
        self._folder = folder
        self._inbox: Inbox = SimpleQueue()
        self._acknowledged: dict[str, set[str]] = {}
        self._pipeline = start_pipeline(supervisor, folder, project_template(), self._inbox, data)
        self._consumers = dict(self._pipeline.consumers)
        self.url, self.key = self._pipeline.api.url, self._pipeline.api_key
        self.stages = sorted(self._consumers)

    def restart_consumer(self, stage: str) -> set[str]:
        """Kill it, and start another one from its file of checkpoints. Returns which batches were acknowledged."""
        killed = self._consumers[stage]
        kill(killed)
        acknowledged = self._acknowledged_by(stage)
        started = self._consumers[stage] = self._supervisor.start(killed.command)
        start_listener(started.command.name, started.stdout_lines(), consumer_line_parser(stage), self._inbox)
        return acknowledged

    def kill_engine(self) -> None:
        """And the consumers, because their checkpoints are of its stream."""
        for process in (*self._consumers.values(), self._pipeline.engine.process):
            kill(process)

    def restart_engine(self) -> None:
        """At the same address as before, and empty."""
        machine, port = machine_environment(os.environ, self._folder.temporary), self._pipeline.engine.port
        engine = start_engine(self._supervisor, self._folder, machine, port=port)
        assert engine.port == port, "somebody else took the engine's port"
        names = physical_names(project_template())
        create_resources(project_template(), names, self._pipeline.clients)
        self.key = create_key(self._pipeline.clients.dynamodb, {"KEYS_TABLE": names.names["KeysTable"]})

    def partition_keys(self) -> Iterator[str]:
        """Of every record on the stream."""
        kinesis, stream = self._pipeline.clients.kinesis, physical_names(project_template()).names["Stream"]
        for shard in kinesis.list_shards(StreamName=stream)["Shards"]:
            start = kinesis.get_shard_iterator(
                StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )
            page = kinesis.get_records(ShardIterator=start["ShardIterator"])
            yield from (record["PartitionKey"] for record in page["Records"])

    def differences(self, file: Path, summary: UploadSummary) -> list[str]:
        """What the stores hold otherwise than the file says, once the consumers have come to rest."""
        expected = read_expected(file)
        give_up = time.monotonic() + _PATIENCE_SECONDS
        while True:
            stored = read_stored(self._pipeline.clients, self._pipeline.stores)
            found = [each for each in compare(expected, summary, stored) if not each.is_equal]
            if not found or time.monotonic() > give_up:
                return [f"{each.name}: {each.actual} instead of {each.expected}" for each in found]
            time.sleep(_POLL_SECONDS)

    def _acknowledged_by(self, stage: str) -> set[str]:
        """As far as it is known here. The last line of a killed process may be cut, and is no checkpoint then."""
        with suppress(Empty):
            while True:
                message = self._inbox.get_nowait()
                if isinstance(message, ConsumerCheckpoint):
                    self._acknowledged.setdefault(message.stage, set()).update(message.acknowledged)
        return set(self._acknowledged.get(stage, ()))


@contextmanager
def killable_pipeline(root: Path) -> Iterator[KillablePipeline]:
    """The consumers keep their checkpoints in files, as those of `make serve` do."""
    with lock_data(root / "data") as data, lock_folder(root) as folder, supervise() as supervisor:
        yield KillablePipeline(supervisor, folder, data)


class Client:
    """The command `send` as a user starts it. `events` are the whole lines that it was heard to say."""

    def __init__(self, pipeline: KillablePipeline, file: Path, *options: str) -> None:
        self._process = Process(
            Command(
                name="the client",
                module="client",
                log=file.with_suffix(".log"),
                environment={**os.environ, API_KEY: pipeline.key},
                arguments=("send", str(file), "--url", pipeline.url, "--json", *options),
                pipes_stdout=True,
                may_end=True,
            )
        )
        self._lines = self._process.stdout_lines()
        self.events: list[Mapping[str, Any]] = []

    def hear(self, lines: int | None = None) -> None:
        """So many more lines, or all until it ends."""
        heard = islice(self._lines, lines)
        self.events += [json.loads(line) for line in heard if line.endswith(b"\n")]  # a killed one's last may be cut

    def end(self) -> int:
        """Wait for it. Returns its exit code, which is below zero if it was killed."""
        self.hear()
        code = _exit_code(self._process)
        self._process.stop()
        return code

    def kill(self) -> int:
        """Returns the exit code of its own where it has ended before."""
        if self._process.exit_code is None:
            os.kill(self._process.pid, signal.SIGKILL)
        return self.end()

    @property
    def summary(self) -> Mapping[str, Any] | None:
        return next((each for each in self.events if each["event"] == "summary"), None)

    @property
    def batches(self) -> list[Mapping[str, Any]]:
        return [each for each in self.events if each["event"] == "batch"]

    @property
    def is_complete(self) -> bool:
        """It has said that it is done, so a kill after that changes nothing."""
        return self.summary is not None and self.summary["error"] is None


def kill(process: Process) -> None:
    """Raises ProcessEnded if it has ended by itself."""
    process.check()
    os.kill(process.pid, signal.SIGKILL)
    _exit_code(process)


def _exit_code(process: Process) -> int:
    while (code := process.exit_code) is None:
        time.sleep(0.01)
    return code
