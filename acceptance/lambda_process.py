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

from acceptance.artifacts import LAMBDA_PYTHON
from acceptance.http_servers import LoopbackHandler, serve
from local_runtime.stack.functions import Function

Event: TypeAlias = dict[str, Any]

_INVOCATION = re.compile(r"/2018-06-01/runtime/invocation/[^/]+/response")
_FUNCTION_ARN = "arn:aws:lambda:us-east-1:000000000000:function:proof"
_PATIENCE_SECONDS = 60


@dataclass
class LambdaProcess:
    """One invocation at a time.

    `init_cpu_seconds` are what the processor worked from the start of the interpreter to its first call for an event:
    a busy machine does not change these.
    """

    log: Path
    timeout_seconds: int
    init_cpu_seconds: float = 0.0
    is_ready: threading.Event = field(default_factory=threading.Event)
    events: "SimpleQueue[Event]" = field(default_factory=SimpleQueue)
    answers: "SimpleQueue[Any]" = field(default_factory=SimpleQueue)
    errors: list[str] = field(default_factory=list)

    def invoke(self, event: Event) -> Any:
        """What the handler returns for it."""
        self.events.put(event)
        answer = self.answers.get(timeout=self.timeout_seconds + _PATIENCE_SECONDS)
        assert self.errors == []
        return answer

    def log_entries(self) -> list[dict[str, Any]]:
        """Its log as CloudWatch gets it: every line is JSON."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line]


@contextmanager
def lambda_process(
    artifact: Path, function: Function, surroundings: Mapping[str, str], log: Path
) -> Iterator[LambdaProcess]:
    """Nothing but the artifact can be imported, and nothing is written into it: on Lambda it is read-only."""
    running = LambdaProcess(log, function.timeout_seconds)
    with serve(_runtime_api(running)) as address, log.open("w") as output:
        process = subprocess.Popen(
            [LAMBDA_PYTHON, "-m", "awslambdaric", function.handler],
            cwd=artifact,
            env={
                **surroundings,
                **function.environment,
                "AWS_LAMBDA_RUNTIME_API": address,
                "AWS_LAMBDA_FUNCTION_NAME": "proof",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
                "AWS_LAMBDA_LOG_FORMAT": "JSON",
                "AWS_LAMBDA_LOG_LEVEL": "INFO",
                "LAMBDA_TASK_ROOT": str(artifact),
                "PYTHONDONTWRITEBYTECODE": "1",
                "_HANDLER": function.handler,
            },
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            assert running.is_ready.wait(_PATIENCE_SECONDS), log.read_text()
            assert running.errors == []
            running.init_cpu_seconds = _cpu_seconds(process.pid)
            yield running
        finally:
            process.kill()
            process.wait()


def _cpu_seconds(pid: int) -> float:
    """In user and system mode: fields 14 and 15 of proc(5)'s stat, whose second one may hold blanks."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _runtime_api(function: LambdaProcess) -> type[LoopbackHandler]:
    class RuntimeApi(LoopbackHandler):
        def give_event(self) -> None:
            function.is_ready.set()
            body = json.dumps(function.events.get()).encode()
            deadline = int((time.time() + function.timeout_seconds) * 1000)
            self._respond(200, body, {"Deadline-Ms": str(deadline), "Invoked-Function-Arn": _FUNCTION_ARN})

        def take_outcome(self) -> None:
            """An answer, or the error of an event or of a start."""
            text = self.body().decode()
            if _INVOCATION.fullmatch(self.path):
                function.answers.put(json.loads(text))
            else:
                function.errors.append(text)
                function.answers.put(None)
                function.is_ready.set()
            self._respond(202, b"{}", {})

        do_GET, do_POST = give_event, take_outcome

        def _respond(self, status: int, body: bytes, lambda_headers: Mapping[str, str]) -> None:
            named = [(f"Lambda-Runtime-{name}", value) for name, value in lambda_headers.items()]
            length, content = ("Content-Length", str(len(body))), ("Content-Type", "application/json")
            request = ("Lambda-Runtime-Aws-Request-Id", str(uuid4()))
            self.answer(status, body, [length, content, request, *named])

    return RuntimeApi
