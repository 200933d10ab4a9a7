"""Cold starts: the CPU time to import a function's entry and make its clients, in the artifact that Lambda gets."""

import os
import resource
import subprocess
from collections.abc import Callable
from pathlib import Path

from bench.ab_benchmark import compare
from bench.designs import environment_names
from bench.findings import Finding, at_most

_BARE = "import fastapi, mangum; mangum.Mangum(fastapi.FastAPI(), lifespan='off')"
_ENVIRONMENT = {
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
}
_ANY_VALUE = "open"  # every variable is a name, or takes this word
_ENTRIES = {
    "ApiFunction": ("pipeline_api.lambda_handler", 1.35),
    "ToS3Function": ("consumers.to_s3", 0.65),
    "ToDynamodbFunction": ("consumers.to_dynamodb", 0.65),
}


def cold_start_findings(artifacts: Path | None, python: str) -> list[Finding]:
    """CPU time of whole processes, against one that imports FastAPI and Mangum from the same artifact as ours.

    `artifacts` has a folder for each function, as `make -C src build-<function>` fills it; `python` compiled them.
    Without them nothing is measured.
    """
    if artifacts is None:
        return []
    artifacts = artifacts.resolve()
    code = {name: (name, f"import {entry}") for name, (entry, _) in _ENTRIES.items()}
    code |= {"bare": ("ApiFunction", _BARE), "empty": ("ApiFunction", "")}
    sides = {side: _start(artifacts / name, python, name, text) for side, (name, text) in code.items()}
    rounds = compare(sides, 1, rounds=9, clock=_children_seconds)
    for seconds in (rounds.seconds[name] for name in (*_ENTRIES, "bare")):
        seconds[:] = [total - least for total, least in zip(seconds, rounds.seconds["empty"], strict=True)]
    return [
        at_most(
            f"import and clients of {name}, against bare fastapi + mangum",
            rounds.speedup("bare", name),
            goal,
            f"{rounds.microseconds(name) / 1000:.0f} ms; bare {rounds.microseconds('bare') / 1000:.0f}",
        )
        for name, (_, goal) in _ENTRIES.items()
    ]


def _start(artifact: Path, python: str, name: str, code: str) -> Callable[[], None]:
    own = dict.fromkeys(environment_names(name), _ANY_VALUE)
    environment = {**_ENVIRONMENT, **own, "PATH": os.environ["PATH"], "PYTHONPATH": str(artifact)}

    def run() -> None:
        subprocess.run([python, "-S", "-c", code], env=environment, check=True)  # noqa: S603 - ours

    return run


def _children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
