"""`make run` as a process of its own, for tests that use it as a user does."""

import csv
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import md5
from http import HTTPStatus
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from aws.bucket import Bucket, raw_key
from local_runtime.comparison import Stored, read_stored, store_names
from local_runtime.stack.resources import Clients, engine_clients
from tests.invoice_rows import row

SHARDS = 4  # of a new on-demand stream

ROOT = Path(__file__).parent.parent
_SERVING = "serving until"
_END_SECONDS = 60
_RESPONSE_SECONDS = 30
_POLLS = 600
_POLL_SECONDS = 0.1


class RunningPipeline:
    """A pipeline on this machine that has sent a CSV, shown its report and keeps serving."""

    def __init__(self, process: "subprocess.Popen[str]", folder: Path, output: str) -> None:
        self._process = process
        self.folder = folder
        self.output = output
        self.url = re.findall(r"^API (\S+)  docs", output, re.MULTILINE)[0]

    @property
    def report(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads((self.folder / "report.json").read_text())
        return report

    def get(self, path: str) -> Any:
        response = httpx.get(self.url + path, headers=self.key, timeout=_RESPONSE_SECONDS)
        assert response.status_code == 200, response.text
        return response.json()

    def client(self, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "client", *arguments, "--url", self.url]
        return subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            cwd=self.folder,
            timeout=_END_SECONDS,
            env=self.environment,
        )

    def stored(self) -> Stored:
        """What the tables and the bucket hold now."""
        return read_stored(self._clients(), store_names(self.names))

    def _clients(self) -> Clients:
        return engine_clients(self.names["AWS_ENDPOINT_URL"])

    @property
    def environment(self) -> dict[str, str]:
        """This process's environment, with the run's API key."""
        return {**os.environ, "INVOICE_API_KEY": self.names["INVOICE_API_KEY"]}

    @property
    def key(self) -> dict[str, str]:
        return {"X-Api-Key": self.names["INVOICE_API_KEY"]}

    @property
    def names(self) -> dict[str, str]:
        """The variables that a user reads from `.local/env`. Only a shell can read the lines about proxies."""
        lines = (self.folder / "env").read_text().splitlines()
        variables = dict(line.split("=", 1) for line in lines if "proxy" not in line.lower())
        return {**variables, **dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost")}

    def settle(self) -> None:
        """Wait until all earlier rows are stored: so is a marker row, put on each shard after them."""
        markers = [next(_keys_on_shard(shard)) for shard in range(SHARDS)]
        for marker in markers:
            body = row(InvoiceNo=marker)
            response = httpx.post(f"{self.url}/ingest", json=body, headers={"Idempotency-Key": marker, **self.key})
            assert response.status_code == 202, response.text
        bucket = Bucket(self._clients().s3, store_names(self.names).bucket)
        assert all(_soon(partial(self._is_queryable, marker)) for marker in markers)
        assert all(_soon(partial(_is_archived, bucket, marker)) for marker in markers)

    def _is_queryable(self, invoice: str) -> bool:
        path = f"{self.url}/invoices/{invoice}"
        return httpx.get(path, headers=self.key, timeout=_RESPONSE_SECONDS).status_code == HTTPStatus.OK

    def processes(self) -> list[str]:
        """The command lines of the processes that it has started."""
        listing = subprocess.run(["ps", "-eo", "args"], check=True, capture_output=True, text=True).stdout
        return [line for line in listing.splitlines() if f"local_runtime.child {self._process.pid} " in line]

    def interrupt(self) -> int:
        """Send Ctrl-C, wait for the end, and return the exit code."""
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(_END_SECONDS)


def run_command(folder: Path, csv_file: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "local_runtime", "run", "--csv", str(csv_file), "--folder", str(folder), *options]


@contextmanager
def running_pipeline(folder: Path, csv_file: Path) -> Iterator[RunningPipeline]:
    """Start a pipeline and wait until it serves. It is stopped at the end of the block."""
    with _started(run_command(folder, csv_file), folder) as running:
        yield running


@contextmanager
def serving_pipeline(folder: Path) -> Iterator[RunningPipeline]:
    """The same with empty stores, which stay in the folder, and without an upload: `make serve`."""
    with _started([sys.executable, "-m", "local_runtime", "serve", "--folder", str(folder)], folder) as running:
        yield running


@contextmanager
def _started(command: list[str], folder: Path) -> Iterator[RunningPipeline]:
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "COLUMNS": "120"},
    )
    try:
        yield RunningPipeline(process, folder, _output_until_it_serves(process))
    finally:
        process.kill()
        process.communicate()


def _output_until_it_serves(process: "subprocess.Popen[str]") -> str:
    output = ""
    assert process.stdout is not None
    for line in process.stdout:
        output += line
        if line.startswith(_SERVING):
            return output
    raise AssertionError(f"it ended instead of serving:\n{output}")


def shuffled(source: Path, target: Path) -> Path:
    """Write a copy with its rows in another order, which is the same each time."""
    with source.open(encoding="cp1252", newline="") as file:
        header, *rows = csv.reader(file)
    random.Random(17).shuffle(rows)  # noqa: S311 - no secret
    with target.open("w", encoding="cp1252", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return target


def _is_archived(bucket: Bucket, batch_id: str) -> bool:
    return any(each.key == raw_key(batch_id) for each in bucket.objects(raw_key(batch_id)))


def _soon(is_so: Callable[[], bool]) -> bool:
    for _ in range(_POLLS):
        if is_so():
            return True
        time.sleep(_POLL_SECONDS)
    return False


def _keys_on_shard(shard: int) -> Iterator[str]:
    """New partition keys of this shard. Kinesis divides their MD5 hashes evenly among the shards."""
    for number in count():
        key = f"marker-{time.monotonic_ns()}-{number}"
        if md5(key.encode(), usedforsecurity=False).digest()[0] * SHARDS // 256 == shard:
            yield key
