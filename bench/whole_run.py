"""`make run` with as many rows as the whole data set, timed by the wall clock."""

import json
import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.designs import TEMPLATE
from bench.findings import Finding, figure
from bench.rows import grow
from local_runtime.environment import machine_environment
from local_runtime.errors import RunError
from local_runtime.processes import Command, log_tail, supervise

WHOLE = 541_909
"""Rows of the data set."""

_SENDING, _EQUAL = b", sending ", b"the stores hold exactly"


@dataclass(frozen=True, slots=True)
class WholeRun:
    """Wall-clock seconds from the client's start until all was stored, and until it was compared.

    `stages` are rows a second: sent, accepted, archived, indexed.
    """

    rows: int
    stored: float
    verified: float
    stages: Mapping[str, float]


def whole_run_findings(source: Path, rows: int = WHOLE) -> list[Finding]:
    """One run, of some minute."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        run = run_whole(grow(source, rows, folder / "whole.csv"), folder / "run")
    stages = ", ".join(f"{stage} {speed:,.0f}" for stage, speed in run.stages.items())
    measured = f"{run.stored:.1f} s until stored, {run.verified:.1f} s until verified"
    return [figure(f"`make run`, {run.rows:,} rows, wall clock", measured, f"rows/s: {stages}")]


def run_whole(file: Path, folder: Path) -> WholeRun:
    """`make run CSV=file ONCE=1`. Raises RunError unless the stores hold exactly what the file does."""
    folder.mkdir(parents=True, exist_ok=True)
    log, results = folder / "run.log", folder / "run"
    options = ("run", "--once", "--csv", str(file), "--template", str(TEMPLATE), "--folder", str(results))
    machine = machine_environment(os.environ, folder)
    command = Command("make run", "local_runtime", log, machine, options, pipes_stdout=True, may_end=True)
    times: dict[bytes, float] = {}
    with supervise() as supervisor:
        for line in supervisor.start(command).stdout_lines():
            times |= {text: time.perf_counter() for text in (_SENDING, _EQUAL) if text in line}
    if _EQUAL not in times:
        raise RunError(f"the run of {file.name} did not end well\n{log_tail(log)}")
    report = json.loads((results / "report.json").read_text())
    verified = times[_EQUAL] - times[_SENDING]
    return WholeRun(report["rows_read"], report["seconds"], verified, report["rows_per_second"])
