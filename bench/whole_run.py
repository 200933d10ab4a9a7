"""`make run` with as many rows as the whole data set, timed by the wall clock."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.designs import TEMPLATE
from bench.findings import Finding, figure
from bench.rows import grow
from local_runtime.errors import RunError

WHOLE = 541_909
"""Rows of the data set."""


def whole_run_findings(source: Path, rows: int = WHOLE) -> list[Finding]:
    """One run, of some minute."""
    with tempfile.TemporaryDirectory() as temporary:
        file = grow(source, rows, Path(temporary, "whole.csv"))
        started = time.perf_counter()
        report = run_whole(file, Path(temporary, "run"))
        seconds = time.perf_counter() - started
    stages = ", ".join(f"{stage} {speed:,.0f}" for stage, speed in report["rows_per_second"].items())
    memory = ", ".join(f"{name} {peak / 1e6:.0f}" for name, peak in report["peak_memory_bytes"].items())
    measured = f"{report['seconds']:.1f} s until stored, {seconds:.1f} s with its start and the comparison"
    note = f"rows/s: {stages}; peak memory, MB: {memory}"
    return [figure(f"`make run`, {report['rows_read']:,} rows, wall clock", measured, note)]


def run_whole(file: Path, folder: Path) -> Any:
    """`make run CSV=file ONCE=1`, and its report.json. Raises RunError unless the stores hold exactly the same rows."""
    options = ("--once", "--csv", str(file), "--template", str(TEMPLATE), "--folder", str(folder))
    command = [sys.executable, "-m", "local_runtime", "run", *options]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own program
    if ended.returncode:
        raise RunError(f"the run of {file.name} did not end well\n{ended.stdout}{ended.stderr}")
    return json.loads((folder / "report.json").read_text())
