"""The client as a user starts it, and what it said before it was killed."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from acceptance.killable_pipeline import KillablePipeline
from invoices.line import CONTENT_FIELDS
from local_runtime.pipeline import API_KEY

_ONE_IN = 97


@dataclass(frozen=True)
class Said:
    """`exit_code` None: it was killed. `events` are the whole lines of its output."""

    exit_code: int | None
    events: Sequence[Mapping[str, Any]]

    @property
    def summary(self) -> Mapping[str, Any] | None:
        return next((each for each in self.events if each["event"] == "summary"), None)

    @property
    def batches(self) -> list[Mapping[str, Any]]:
        return [each for each in self.events if each["event"] == "batch"]

    @property
    def is_complete(self) -> bool:
        """The client has said that it is done, so a kill after that changes nothing."""
        return self.summary is not None and self.summary["error"] is None


def start_client(pipeline: KillablePipeline, file: Path, *options: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "client", "send", file.name, "--url", pipeline.url, "--json", *options]
    with file.with_suffix(".stderr").open("ab") as complaints:
        return subprocess.Popen(
            command,
            cwd=file.parent,
            env={**os.environ, API_KEY: pipeline.key},
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
        )


def run_client(pipeline: KillablePipeline, file: Path, *options: str) -> Said:
    return said_by(start_client(pipeline, file, *options))


def killed_client(pipeline: KillablePipeline, file: Path, *options: str, lines: int, seconds: float) -> Said:
    """Killed so many seconds after it has said so many lines, unless it has ended by then."""
    process = start_client(pipeline, file, *options)
    said = first_lines(process, lines)
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    process.kill()
    return said_by(process, said)


def first_lines(process: "subprocess.Popen[str]", count: int) -> str:
    """As soon as they are there, or the client has ended."""
    assert process.stdout
    return "".join(islice(process.stdout, count))


def said_by(process: "subprocess.Popen[str]", said: str = "") -> Said:
    """All of it, when the process has ended; `said` was read before."""
    assert process.stdout
    with process.stdout as rest:
        said += rest.read()
    code = process.wait()
    events = [json.loads(line) for line in said.splitlines(keepends=True) if line.endswith("\n")]
    return Said(None if code < 0 else code, events)


def write_rows(path: Path, name: str, count: int, chance: Random) -> Path:
    """Rows of invoices of this name alone; one in some hundred is a reject, some are repeated word for word."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([CONTENT_FIELDS, *_rows(name, count, chance)])
    return path


def joined(files: Iterable[Path], path: Path) -> Path:
    """One file with the rows of all."""
    texts = [file.read_bytes().split(b"\n", 1) for file in files]
    path.write_bytes(texts[0][0] + b"\n" + b"".join(rows for _, rows in texts))
    return path


def _rows(name: str, count: int, chance: Random) -> Iterable[tuple[str, ...]]:
    for number in range(count):
        quantity = "x" if number % _ONE_IN == _ONE_IN - 1 else str(chance.randint(1, 3))
        yield (
            f"{name}-{number // 7}",
            str(chance.randint(1, 9)),
            "",
            quantity,
            "12/1/2010 8:26",
            "2.55",
            chance.choice(("", "17850", "13047")),
            "EIRE",
        )
