"""A pipeline on this machine whose engine and consumers can be killed outright and started again."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from acceptance.machine import PROJECT
from local_runtime.comparison import Stored, compare, read_expected, read_stored, store_names
from local_runtime.engine import Engine, start_engine
from local_runtime.environment import aws_environment, machine_environment
from local_runtime.folder import RunFolder, lock_folder
from local_runtime.messages import UploadSummary
from local_runtime.pipeline import consumer_command, create_key, start_api
from local_runtime.processes import Process, Supervisor, supervise
from local_runtime.stack.functions import Function, http_function, read_functions, stream_functions
from local_runtime.stack.resources import create_resources, engine_clients
from local_runtime.stack.template import physical_names, read_template

_PREFERRED_PORT = 4766
_POLL_SECONDS = 0.5
_PATIENCE_SECONDS = 120.0


class KillableConsumer:
    """A consumer's process, one after the other, each going on from the file of checkpoints of those before it."""

    def __init__(self, function: Function, folder: RunFolder, environment: dict[str, str]) -> None:
        self.stage = function.stage
        self.acknowledged: set[str] = set()
        self._command = consumer_command(function, folder, environment, folder.root / f"{self.stage}.checkpoints")
        self.start()

    def start(self) -> None:
        self.said_something = False
        self._process = Process(self._command)
        self._listener = threading.Thread(target=self._listen, args=(self._process,), daemon=True)
        self._listener.start()

    def kill(self) -> None:
        """Raises ProcessEnded if it has ended by itself."""
        self._process.check()
        os.kill(self._process.pid, signal.SIGKILL)
        self._listener.join()
        self._process.stop()

    def stop(self) -> None:
        self._process.stop()

    def _listen(self, process: Process) -> None:
        for line in process.stdout_lines():
            if line.endswith(b"\n"):  # the last one may be cut
                self.acknowledged.update(json.loads(line)["acknowledged"])
                self.said_something = True


class KillablePipeline:
    """`key` is the API's; it is another one after the engine was started again, whose memory is empty then."""

    def __init__(self, supervisor: Supervisor, folder: RunFolder) -> None:
        self._supervisor = supervisor
        self._folder = folder
        self._template = read_template(PROJECT / "template.yaml")
        self._physical = physical_names(self._template)
        self._machine = machine_environment(os.environ, folder.temporary)
        self._functions = read_functions(self._template, self._physical)
        self._engine = self._start_engine(_PREFERRED_PORT)
        self.clients = engine_clients(self._engine.endpoint)
        self._create_resources()
        self._surroundings = {**self._machine, **aws_environment(self._engine.endpoint)}
        http = http_function(self._functions)
        self.url = start_api(supervisor, folder, {**self._surroundings, **http.environment}).url
        self.consumers: list[KillableConsumer] = []

    def kill_engine(self) -> None:
        os.kill(self._engine.process.pid, signal.SIGKILL)
        self._supervisor.release(self._engine.process)

    def restart_engine(self) -> None:
        """At the same address as before, and empty."""
        killed, self._engine = self._engine, self._start_engine(self._engine.port)
        assert self._engine.port == killed.port, "somebody else took the engine's port"
        self._create_resources()

    def _start_engine(self, port: int) -> Engine:
        return start_engine(self._supervisor, self._folder, self._machine, port=port)

    def _create_resources(self) -> None:
        create_resources(self._template, self._physical, self.clients)
        self.key = create_key(self.clients.dynamodb, self._variables)

    def start_consumers(self) -> None:
        fed = stream_functions(self._functions)
        self.consumers = [KillableConsumer(each, self._folder, self._surroundings) for each in fed]

    def stop_consumers(self) -> None:
        for consumer in self.consumers:
            consumer.stop()

    def partition_keys(self) -> Iterator[str]:
        """Of every record on the stream."""
        kinesis, stream = self.clients.kinesis, self._variables["STREAM_NAME"]
        for shard in kinesis.list_shards(StreamName=stream)["Shards"]:
            start = kinesis.get_shard_iterator(
                StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )
            iterator = start["ShardIterator"]
            while records := (page := kinesis.get_records(ShardIterator=iterator))["Records"]:
                yield from (record["PartitionKey"] for record in records)
                iterator = page["NextShardIterator"]

    def differences(self, file: Path, summary: UploadSummary) -> list[str]:
        """What the stores hold otherwise than the file says, once the consumers have come to rest."""
        expected = read_expected(file)
        give_up = time.monotonic() + _PATIENCE_SECONDS
        while True:
            found = [each for each in compare(expected, summary, self._stored()) if not each.is_equal]
            if not found or time.monotonic() > give_up:
                return [f"{each.name}: {each.actual} instead of {each.expected}" for each in found]
            time.sleep(_POLL_SECONDS)

    def _stored(self) -> Stored:
        return read_stored(self.clients, store_names(self._variables))

    @property
    def _variables(self) -> dict[str, str]:
        return {name: value for function in self._functions for name, value in function.environment.items()}


@contextmanager
def killable_pipeline(root: Path) -> Iterator[KillablePipeline]:
    """Engine, resources and API; the consumers are started by who needs them."""
    with lock_folder(root) as folder, supervise() as supervisor:
        pipeline = KillablePipeline(supervisor, folder)
        try:
            yield pipeline
        finally:
            pipeline.stop_consumers()
