"""`make serve`: stores that stay."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from aws.bucket import raw_key
from invoices.batch import pack
from local_runtime.engine import start_engine
from local_runtime.environment import machine_environment
from local_runtime.folder import lock_data, lock_folder
from local_runtime.processes import supervise
from local_runtime.stack.resources import create_resources, engine_clients
from local_runtime.stack.template import physical_names
from tests.invoice_rows import ndjson, row
from tests.local_runtime.templates import PROJECT_TEMPLATE, project_template
from tests.running_pipeline import ROOT

pytestmark = pytest.mark.end_to_end

BATCH_ID = "01939f3e-8a00-7c3e-9d5b-3f1f0c2a4b6d"
_END_SECONDS = 120


def _template_without_lake(path: Path) -> Path:
    """The rebuild of a lake takes seconds, and has tests of its own."""
    with_lake = "  Lake:\n    Type: String\n    Default: "
    text = PROJECT_TEMPLATE.read_text()
    assert with_lake in text
    path.write_text(text.replace(f'{with_lake}"true"', f'{with_lake}"false"'))
    return path


def _kill_an_engine_after_it_archived(rows: bytes, root: Path) -> None:
    """Its tables were never saved."""
    template = project_template()
    with lock_data(root / "data") as data, lock_folder(root) as folder, supervise() as supervisor:
        engine = start_engine(supervisor, folder, machine_environment(os.environ, folder.temporary), data=data)
        clients = engine_clients(engine.endpoint)
        create_resources(template, physical_names(template), clients)
        clients.s3.put_object(Bucket="local-rawbucket", Key=raw_key(BATCH_ID), Body=pack(rows))
        os.kill(engine.process.pid, signal.SIGKILL)


def _until_it_serves(process: subprocess.Popen[str]) -> str:
    """What it prints before."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("serving until"):
            break
    return "".join(lines)


def test_what_was_archived_stands_after_the_engine_was_killed_and_stays(tmp_path: Path) -> None:
    """The next start builds the tables from the archive, and Ctrl-C saves them."""
    _kill_an_engine_after_it_archived(ndjson([row()]), tmp_path)
    template = _template_without_lake(tmp_path / "template.yaml")
    command: list[str | Path] = ["-m", "local_runtime", "serve", "--folder", tmp_path, "--template", template]
    with subprocess.Popen([sys.executable, *command], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            output = _until_it_serves(process)
            assert "the tables are built from the archive" in output
            (url, key) = re.findall(r"API (\S+)  docs", output)[0], (tmp_path / "data" / "api-key").read_text()
            answer = httpx.get(f"{url}/invoices/536365", headers={"X-Api-Key": key}, timeout=_END_SECONDS)
            process.send_signal(signal.SIGINT)
            assert (answer.json()["line_count"], process.wait(_END_SECONDS)) == (1, 0)
        finally:
            process.kill()
    with lock_data(tmp_path / "data") as data:
        assert not data.needs_rebuild
