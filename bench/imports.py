"""Cold starts: what importing a function's entry and making its clients costs, in the artifact that Lambda gets."""

import os
import resource
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.duel import duel
from bench.finding import Finding, at_most, figure
from bench.template import variables_of

_BARE = "import fastapi, mangum; mangum.Mangum(fastapi.FastAPI(), lifespan='off')"
_FLOOR = """
import gc
gc.disable()
import botocore.session
botocore.session.get_session().create_client("dynamodb")
import pydantic
class Model(pydantic.BaseModel):
    field: str
"""
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


@dataclass(frozen=True, slots=True)
class Artifacts:
    """Folders by function, as `make -C src build-<function>` fills them, and the Python that compiled them."""

    folder: Path
    python: str


def import_findings(artifacts: Artifacts) -> list[Finding]:
    """CPU time of whole processes, against one that imports FastAPI and Mangum from the same artifact as ours."""
    sides = {name: _start(artifacts, name, f"import {entry}") for name, (entry, _) in _ENTRIES.items()}
    empty, bare = _start(artifacts, "ApiFunction", ""), _start(artifacts, "ApiFunction", _BARE)
    floor = _start(artifacts, "ToDynamodbFunction", _FLOOR)
    rounds = duel({**sides, "floor": floor, "bare": bare, "empty": empty}, 1, rounds=9, clock=_children_seconds)
    for seconds in (rounds.seconds[name] for name in (*sides, "floor", "bare")):
        seconds[:] = [total - least for total, least in zip(seconds, rounds.seconds["empty"], strict=True)]
    findings = [
        at_most(
            f"import and clients of {name}, against bare fastapi + mangum",
            rounds.faster("bare", name),
            goal,
            f"{rounds.microseconds(name) / 1000:.0f} ms; bare {rounds.microseconds('bare') / 1000:.0f}",
        )
        for name, (_, goal) in _ENTRIES.items()
    ]
    what = "the floor of ToDynamodbFunction: botocore with its one client, and pydantic with a model of one field"
    return [*findings, figure(what, str(rounds.faster("bare", "floor")))]


def _start(artifacts: Artifacts, name: str, code: str) -> Callable[[], None]:
    own = dict.fromkeys(variables_of(name), _ANY_VALUE)
    environment = {**_ENVIRONMENT, **own, "PATH": os.environ["PATH"], "PYTHONPATH": str(artifacts.folder / name)}

    def run() -> None:
        subprocess.run([artifacts.python, "-S", "-c", code], env=environment, check=True)  # noqa: S603 - ours

    return run


def _children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
