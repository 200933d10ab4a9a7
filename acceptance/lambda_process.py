"""A built artifact under AWS's own runtime client, `awslambdaric`, as Lambda starts it.

The Runtime API is the side of Lambda that a function talks to:
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeAlias
from uuid import uuid4

from acceptance.http_servers import LoopbackHandler, serve
from acceptance.machine import LAMBDA_PYTHON
from local_runtime.processes import peak_memory

Event: TypeAlias = dict[str, Any]

_INVOCATION = re.compile(r"/2018-06-01/runtime/invocation/[^/]+/(?P<outcome>response|error)")
_FUNCTION_ARN = "arn:aws:lambda:us-east-1:000000000000:function:proof"
_SLOWEST_START_SECONDS = 60


@dataclass(frozen=True)
class Outcome:
    """`answer` is what the handler returned, or Lambda's error document where it `failed`."""

    answer: Any
    failed: bool
    seconds: float


@dataclass
class LambdaProcess:
    """One invocation at a time.

    `init_seconds` are from the start of the interpreter to its first call for an event, and `init_cpu_seconds` what
    the processor worked for it: a busy machine does not change these.
    """

    log: Path
    timeout_seconds: int = 60
    pid: int = 0
    init_seconds: float = 0.0
    init_cpu_seconds: float = 0.0
    init_error: str | None = None
    handed_over: float = 0.0
    is_ready: threading.Event = field(default_factory=threading.Event)
    events: "SimpleQueue[Event]" = field(default_factory=SimpleQueue)
    outcomes: "SimpleQueue[Outcome]" = field(default_factory=SimpleQueue)

    def invoke(self, event: Event) -> Outcome:
        self.events.put(event)
        return self.outcomes.get(timeout=self.timeout_seconds)

    def log_entries(self) -> list[dict[str, Any]]:
        """Its log as CloudWatch gets it: every line is JSON."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line]

    def peak_megabytes(self) -> int:
        return (peak_memory(self.pid) or 0) // 1024**2


@contextmanager
def lambda_process(artifact: Path, handler: str, environment: Mapping[str, str], log: Path) -> Iterator[LambdaProcess]:
    """Nothing but the artifact can be imported, and nothing is written into it: on Lambda it is read-only."""
    function = LambdaProcess(log)
    with serve(_runtime_api(function)) as address, log.open("w") as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            [LAMBDA_PYTHON, "-m", "awslambdaric", handler],
            cwd=artifact,
            env={**environment, **_lambda_environment(artifact, handler, address)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            assert function.is_ready.wait(_SLOWEST_START_SECONDS), log.read_text()
            assert function.init_error is None, function.init_error
            function.pid, function.init_seconds = process.pid, time.perf_counter() - started
            function.init_cpu_seconds = _cpu_seconds(process.pid)
            yield function
        finally:
            process.kill()
            process.wait()


def _cpu_seconds(pid: int) -> float:
    """In user and system mode: fields 14 and 15 of proc(5)'s stat, whose second one may hold blanks."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _lambda_environment(artifact: Path, handler: str, address: str) -> dict[str, str]:
    return {
        "AWS_LAMBDA_RUNTIME_API": address,
        "AWS_LAMBDA_FUNCTION_NAME": "proof",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_LAMBDA_LOG_LEVEL": "INFO",
        "LAMBDA_TASK_ROOT": str(artifact),
        "PYTHONDONTWRITEBYTECODE": "1",
        "_HANDLER": handler,
    }


def _runtime_api(function: LambdaProcess) -> type[LoopbackHandler]:
    class RuntimeApi(LoopbackHandler):
        def give_event(self) -> None:
            function.is_ready.set()
            body = json.dumps(function.events.get()).encode()
            deadline = int((time.time() + function.timeout_seconds) * 1000)
            function.handed_over = time.perf_counter()
            self._respond(200, body, {"Deadline-Ms": str(deadline), "Invoked-Function-Arn": _FUNCTION_ARN})

        def take_outcome(self) -> None:
            """Of an event, or of a start that failed."""
            seconds, text = time.perf_counter() - function.handed_over, self.body()
            if found := _INVOCATION.fullmatch(self.path):
                function.outcomes.put(Outcome(json.loads(text), found["outcome"] == "error", seconds))
            else:
                function.init_error = text.decode()
                function.is_ready.set()
            self._respond(202, b"{}", {})

        do_GET, do_POST = give_event, take_outcome

        def _respond(self, status: int, body: bytes, lambda_headers: Mapping[str, str]) -> None:
            named = [(f"Lambda-Runtime-{name}", value) for name, value in lambda_headers.items()]
            length, content = ("Content-Length", str(len(body))), ("Content-Type", "application/json")
            request = ("Lambda-Runtime-Aws-Request-Id", str(uuid4()))
            self.answer(status, body, [length, content, request, *named])

    return RuntimeApi
