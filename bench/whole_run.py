"""`make run` with as many rows as the whole data set, beside the original's design on the same engine.

The original would take hours, so it gets slices. The engine goes through all records of the stream at every call, and
of the original's it holds one for each row: a slice from the start does not feel that, so there is one from the middle
of the run, too, when the stream holds the rows before it.
"""

import json
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TypedDict

from bench.engine_floor import EngineAlone, engine_alone
from bench.finding import Finding, figure
from bench.rivals.original_run import SliceRun, run_slice, takeable_rows
from bench.source_files import as_utf8, grown
from bench.template import TEMPLATE
from local_runtime.environment import machine_environment
from local_runtime.errors import RunError
from local_runtime.processes import Command, log_tail, supervise

WHOLE = 541_909
"""Rows of the data set."""

_GOAL = 100
_SLICES = ((500, 1), (1_000, 1), (2_000, 1), (2_000, 4))
"""Rows, and over how many connections."""

_MIDDLE_ROWS, _MIDDLES = 500, 3
_SECONDS_PER_HOUR = 3600
_SENDING, _AGREED = b", sending ", b"the stores hold exactly"


class _Report(TypedDict):
    """What is read of a run's report.json."""

    rows_read: int
    seconds: float
    rows_per_second: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class WholeRun:
    """Seconds from the client's start, a moment before its first request: until all was stored, and compared.

    `stages` are rows per second: sent, accepted, archived, indexed.
    """

    rows: int
    stored: float
    verified: float
    stages: Mapping[str, float]

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.verified


def whole_run_findings(source: Path, rows: int = WHOLE) -> list[Finding]:
    """Ours once, the original in slices; some two minutes for the whole."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        file, _ = as_utf8(source, folder / "source.csv")
        ours = run_whole(grown(source, rows, folder / "whole.csv"), folder / "ours")
        first = takeable_rows(file, max(_SLICES)[0])
        slices = [run_slice(first[:count], folder / "theirs", connections) for count, connections in _SLICES]
        fastest = max(slices, key=lambda run: run.rows_per_second)
        middles = [
            run_slice(first[:_MIDDLE_ROWS], folder / "theirs", fastest.connections, already=rows // 2)
            for _ in range(_MIDDLES)
        ]
        engine = engine_alone(source, folder / "engine")
    return [
        _ratio(ours, middles, "a slice from the middle of the run"),
        _ratio(ours, [fastest], "the fastest slice from its start"),
        _floor(engine, fastest),
        _ours(ours),
        _theirs(slices),
    ]


def run_whole(file: Path, folder: Path) -> WholeRun:
    """`make run CSV=file ONCE=1`. Raises RunError unless the stores hold exactly what the file does."""
    folder.mkdir(parents=True, exist_ok=True)
    log, runs = folder / "run.log", folder / "run"
    options = ("run", "--once", "--csv", str(file), "--template", str(TEMPLATE), "--folder", str(runs))
    machine = machine_environment(os.environ, folder)
    command = Command("make run", "local_runtime", log, machine, options, pipes_stdout=True, may_end=True)
    said: dict[bytes, float] = {}
    with supervise() as supervisor:
        for line in supervisor.start(command).stdout_lines():
            said |= {mark: time.perf_counter() for mark in (_SENDING, _AGREED) if mark in line}
    if _AGREED not in said:
        raise RunError(f"the run of {file.name} did not end well\n{log_tail(log)}")
    report: _Report = json.loads((runs / "report.json").read_text())
    verified = said[_AGREED] - said[_SENDING]
    return WholeRun(report["rows_read"], report["seconds"], verified, report["rows_per_second"])


def _ratio(ours: WholeRun, slices: Sequence[SliceRun], where: str) -> Finding:
    """Both from the first request to verified; of several slices the median, with the least and the most."""
    theirs = median(run.rows_per_second for run in slices)
    ratios = [ours.rows_per_second / run.rows_per_second for run in slices]
    times = ours.rows_per_second / theirs
    hours = ours.rows / theirs / _SECONDS_PER_HOUR
    return Finding(
        what=f"`make run`, {ours.rows:,} rows, first request to verified, against the original's design on the same "
        f"engine: {where}",
        goal=f">= {_GOAL} x",
        measured=f"{times:.0f} ({min(ratios):.0f}-{max(ratios):.0f}) x" if len(slices) > 1 else f"{times:.0f} x",
        met=times >= _GOAL,
        note=f"{ours.rows_per_second:,.0f} rows/s; theirs {theirs:.0f}, "
        f"{slices[0].rows:,} rows extrapolated linearly: {hours:.1f} h",
    )


def _floor(engine: EngineAlone, theirs: SliceRun) -> Finding:
    times = engine.rows_per_second / theirs.rows_per_second
    return figure(
        "the floor: the engine alone, our items put and read back by a caller that does nothing else",
        f"{times:.0f} x the fastest slice from the start",
        f"{engine.rows:,} rows over 1 connection: {engine.rows_per_second:,.0f} rows/s; "
        f"{engine.items / engine.put:,.0f} items/s put",
    )


def _ours(run: WholeRun) -> Finding:
    measured = f"{run.stored:.1f} s until stored, {run.verified:.1f} s until verified"
    stages = ", ".join(f"{stage} {speed:,.0f}" for stage, speed in run.stages.items())
    return figure(f"`make run`, {run.rows:,} rows, wall clock", measured, f"rows/s: {stages}")


def _theirs(slices: Sequence[SliceRun]) -> Finding:
    speeds = (f"{run.rows:,} rows over {run.connections}: {run.rows_per_second:.0f}" for run in slices)
    return figure(
        "the original's design from the start, rows/s by rows and connections", "; ".join(speeds), "wall clock"
    )
