"""`make run` as a process of its own, and what a user can ask of it."""

import csv
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import md5
from http import HTTPStatus
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from local_runtime.comparison import Stored, read_stored, store_names
from local_runtime.stack.resources import engine_clients
from tests.invoice_rows import row

SHARDS = 4  # what a new on-demand stream has

ROOT = Path(__file__).parent.parent
_SERVING = "serving until"
_END_SECONDS = 60
_ANSWER_SECONDS = 30
_POLLS = 600
_POLL_SECONDS = 0.1


class RunningPipeline:
    """A pipeline on this machine that has sent a CSV, told its report and goes on serving."""

    def __init__(self, process: "subprocess.Popen[str]", folder: Path, said: str) -> None:
        self._process = process
        self.folder = folder
        self.said = said
        self.url = re.findall(r"^API (\S+)  docs", said, re.MULTILINE)[0]

    @property
    def report(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads((self.folder / "report.json").read_text())
        return report

    def get(self, path: str) -> Any:
        answer = httpx.get(self.url + path, headers=self.key, timeout=_ANSWER_SECONDS)
        assert answer.status_code == 200, answer.text
        return answer.json()

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
        """What tables and bucket hold now."""
        names = self._names
        return read_stored(engine_clients(names["AWS_ENDPOINT_URL"]), store_names(names))

    @property
    def environment(self) -> dict[str, str]:
        """This process's own, with the run's API key in it."""
        return {**os.environ, "INVOICE_API_KEY": self._names["INVOICE_API_KEY"]}

    @property
    def key(self) -> dict[str, str]:
        return {"X-Api-Key": self._names["INVOICE_API_KEY"]}

    @property
    def _names(self) -> dict[str, str]:
        lines = (self.folder / "env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def settle(self) -> None:
        """Wait until everything sent so far is stored: on each shard a marker comes out behind it."""
        markers = [next(_keys_on_shard(shard)) for shard in range(SHARDS)]
        for marker in markers:
            body = row(InvoiceNo=marker)
            taken = httpx.post(f"{self.url}/ingest", json=body, headers={"Idempotency-Key": marker, **self.key})
            assert taken.status_code == 202, taken.text
        assert all(self._appears(f"/invoices/{marker}") for marker in markers)

    def _appears(self, path: str) -> bool:
        for _ in range(_POLLS):
            if self._status(path) == HTTPStatus.OK:
                return True
            time.sleep(_POLL_SECONDS)
        return False

    def _status(self, path: str) -> int:
        return httpx.get(self.url + path, headers=self.key, timeout=_ANSWER_SECONDS).status_code

    def processes(self) -> list[str]:
        """The command lines of everything that it started."""
        listing = subprocess.run(["ps", "-eo", "args"], check=True, capture_output=True, text=True).stdout
        return [line for line in listing.splitlines() if f"local_runtime.child {self._process.pid} " in line]

    def interrupt(self) -> int:
        """Ctrl-C; the exit code."""
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(_END_SECONDS)


def run_command(folder: Path, csv_file: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "local_runtime", "run", "--csv", str(csv_file), "--folder", str(folder), *options]


@contextmanager
def running_pipeline(folder: Path, csv_file: Path) -> Iterator[RunningPipeline]:
    """Start it, wait until it serves, and stop it."""
    process = subprocess.Popen(
        run_command(folder, csv_file),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "COLUMNS": "120"},
    )
    try:
        yield RunningPipeline(process, folder, _said_until_it_serves(process))
    finally:
        process.kill()
        process.communicate()


def _said_until_it_serves(process: "subprocess.Popen[str]") -> str:
    said = ""
    assert process.stdout is not None
    for line in process.stdout:
        said += line
        if line.startswith(_SERVING):
            return said
    raise AssertionError(f"it ended instead of serving:\n{said}")


def shuffled(source: Path, target: Path) -> Path:
    """A copy with its rows in another order; the same every time."""
    with source.open(encoding="cp1252", newline="") as file:
        header, *rows = csv.reader(file)
    random.Random(17).shuffle(rows)  # noqa: S311 - no secret
    with target.open("w", encoding="cp1252", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return target


def _keys_on_shard(shard: int) -> Iterator[str]:
    """Fresh partition keys that Kinesis hashes (MD5) to this shard of SHARDS equal ones."""
    for number in count():
        key = f"marker-{time.monotonic_ns()}-{number}"
        if md5(key.encode(), usedforsecurity=False).digest()[0] * SHARDS // 256 == shard:
            yield key
