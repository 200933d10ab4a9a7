"""Cold starts: the CPU time to import a function's entry and make its clients, in the artifact that Lambda gets."""

import os
import resource
import subprocess
from collections.abc import Callable
from pathlib import Path

from bench.ab_benchmark import Rounds, compare
from bench.designs import API, TO_DYNAMODB, TO_S3, lambda_function
from bench.findings import Finding
from local_runtime.environment import aws_environment

_GOALS = {API: 1.35, TO_S3: 0.65, TO_DYNAMODB: 0.65}
_BARE = "import fastapi, mangum; mangum.Mangum(fastapi.FastAPI(), lifespan='off')"


def cold_start_findings(artifacts: Path | None, python: str) -> list[Finding]:
    """CPU time of whole processes, against one that imports FastAPI and Mangum from the same artifact as ours.

    `artifacts` has a folder for each function, as `make -C src build-<function>` fills it; `python` compiled them.
    Without them nothing is measured.
    """
    if artifacts is None:
        return []
    folders = {name: artifacts.resolve() / name for name in _GOALS}
    imports = {name: f"import {lambda_function(name).handler.rpartition('.')[0]}" for name in _GOALS}
    sides = {name: _start(folder, python, name, imports[name]) for name, folder in folders.items()}
    sides |= {"bare": _start(folders[API], python, API, _BARE), "empty": _start(folders[API], python, API, "")}
    rounds = compare(sides, 1, rounds=9, clock=_children_seconds)
    for seconds in (rounds.seconds[name] for name in (*_GOALS, "bare")):
        seconds[:] = [total - least for total, least in zip(seconds, rounds.seconds["empty"], strict=True)]
    return [_beside_bare(rounds, name, goal) for name, goal in _GOALS.items()]


def _beside_bare(rounds: Rounds, name: str, goal: float) -> Finding:
    ratio = rounds.speedup("bare", over=name)
    note = f"{rounds.microseconds(name) / 1000:.0f} ms; bare {rounds.microseconds('bare') / 1000:.0f}"
    what = f"import and clients of {name}, against bare fastapi + mangum"
    return Finding(what, f"<= {goal:g}", str(ratio), ratio.median <= goal, note)


def _start(artifact: Path, python: str, name: str, code: str) -> Callable[[], None]:
    aws = aws_environment("http://127.0.0.1:9")  # nothing is called
    environment = {**aws, **lambda_function(name).environment, "PATH": os.environ["PATH"], "PYTHONPATH": str(artifact)}

    def run() -> None:
        subprocess.run([python, "-S", "-c", code], env=environment, check=True)  # noqa: S603 - ours

    return run


def _children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
