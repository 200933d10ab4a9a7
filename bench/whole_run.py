"""`make run` with as many rows as the whole data set, beside the original's design on the same engine.

The original would take hours, so it gets slices. The engine goes through all records of the stream at every call, and
the original puts one for each row: a slice from the start of the run is not slowed down by that, so there is one from
the middle, too, with the rows before it on the stream.
"""

import json
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.baselines.original_run import SliceRun, read_rows, run_slice
from bench.designs import TEMPLATE
from bench.findings import Finding, figure
from bench.rows import grow
from local_runtime.environment import machine_environment
from local_runtime.errors import RunError
from local_runtime.processes import Command, log_tail, supervise

WHOLE = 541_909
"""Rows of the data set."""

_GOAL = 100
_START_ROWS, _MIDDLE_ROWS, _MIDDLES = 2_000, 500, 3
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

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.verified


def whole_run_findings(source: Path, rows: int = WHOLE) -> list[Finding]:
    """Ours once, the original in slices; some two minutes in all."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        file = grow(source, rows, folder / "whole.csv")
        ours = run_whole(file, folder / "ours")
        first = read_rows(file, _START_ROWS)
        start = run_slice(first, folder / "theirs")
        middles = [run_slice(first[:_MIDDLE_ROWS], folder / "theirs", earlier=rows // 2) for _ in range(_MIDDLES)]
    stages = ", ".join(f"{stage} {speed:,.0f}" for stage, speed in ours.stages.items())
    measured = f"{ours.stored:.1f} s until stored, {ours.verified:.1f} s until verified"
    return [
        _ratio(ours, middles, "a slice from the middle of the run"),
        _ratio(ours, [start], "a slice from its start"),
        figure(f"`make run`, {ours.rows:,} rows, wall clock", measured, f"rows/s: {stages}"),
    ]


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


def _ratio(ours: WholeRun, slices: Sequence[SliceRun], where: str) -> Finding:
    """Both from the first request to verified; of several slices the median, with the least and the most."""
    theirs = median(run.rows_per_second for run in slices)
    ratios = [ours.rows_per_second / run.rows_per_second for run in slices]
    times, hours = ours.rows_per_second / theirs, ours.rows / theirs / 3600
    return Finding(
        what=f"`make run`, {ours.rows:,} rows, first request to verified, against the original's design on the same "
        f"engine: {where}",
        goal=f">= {_GOAL} x",
        measured=f"{times:.0f} ({min(ratios):.0f}-{max(ratios):.0f}) x" if len(slices) > 1 else f"{times:.0f} x",
        met=times >= _GOAL,
        note=f"{ours.rows_per_second:,.0f} rows/s; theirs {theirs:.0f}, "
        f"{slices[0].rows:,} rows extrapolated linearly: {hours:.1f} h",
    )
