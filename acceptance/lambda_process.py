"""A built artifact under AWS's own runtime client, `awslambdaric`, as Lambda starts it."""

import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acceptance.machine import LAMBDA_PYTHON
from acceptance.runtime_api import Event, Outcome, RuntimeApi, served

_SLOWEST_START_SECONDS = 60


@dataclass(frozen=True)
class LambdaProcess:
    """`init_seconds` is from the start of the interpreter to the first call for an event."""

    api: RuntimeApi
    init_seconds: float
    pid: int
    log: Path

    def invoke(self, event: Event) -> Outcome:
        return self.api.invoke(event)

    def log_entries(self) -> list[dict[str, Any]]:
        """Its log as CloudWatch gets it: every line is JSON."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line]

    def peak_megabytes(self) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM"))


@contextmanager
def lambda_process(artifact: Path, handler: str, environment: Mapping[str, str], log: Path) -> Iterator[LambdaProcess]:
    """Nothing but the artifact can be imported, and nothing is written into it: on Lambda it is read-only."""
    api = RuntimeApi()
    with served(api) as address, log.open("w") as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            [LAMBDA_PYTHON, "-m", "awslambdaric", handler],
            cwd=artifact,
            env={**environment, **_lambda_environment(artifact, handler, address)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            assert api.ready.wait(_SLOWEST_START_SECONDS), log.read_text()
            assert api.init_error is None, api.init_error
            yield LambdaProcess(api, time.perf_counter() - started, process.pid, log)
        finally:
            process.kill()
            process.wait()


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
