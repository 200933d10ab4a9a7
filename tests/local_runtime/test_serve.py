"""`make serve`: stores that stay."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from aws.bucket import raw_key
from aws.items import slice_item
from invoices.batch import pack
from invoices.invoice import slices_of
from invoices.rows import read_ndjson
from local_runtime.engine import Engine, start_engine
from local_runtime.environment import machine_environment
from local_runtime.errors import RunError
from local_runtime.folder import DataFolder, lock_data, lock_folder
from local_runtime.processes import bind_loopback, supervise
from local_runtime.run import serve
from local_runtime.stack.resources import Clients, create_resources, engine_clients
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


@contextmanager
def _engine(root: Path) -> Iterator[tuple[Engine, Clients]]:
    """One with the template's resources, which is stopped, and so saved, at the end of the block."""
    template = project_template()
    with lock_data(root / "data") as data, lock_folder(root) as folder, supervise() as supervisor:
        engine = start_engine(supervisor, folder, machine_environment(os.environ, folder.temporary), data=data)
        clients = engine_clients(engine.endpoint)
        create_resources(template, physical_names(template), clients)
        yield engine, clients


def _save_lines_that_are_erased_later(root: Path) -> None:
    """The archive has none of them, as after an erasure."""
    with _engine(root) as (_, clients):
        for invoice_slice in slices_of(read_ndjson(ndjson([row(InvoiceNo="erased")])), "erased"):
            clients.dynamodb.put_item(TableName="local-InvoicesTable", Item=slice_item(invoice_slice))


def _kill_an_engine_after_it_archived(rows: bytes, root: Path) -> None:
    """Its tables were not saved again."""
    with _engine(root) as (engine, clients):
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
    """The next start builds the tables from the archive alone, and Ctrl-C saves them."""
    _save_lines_that_are_erased_later(tmp_path)
    _kill_an_engine_after_it_archived(ndjson([row()]), tmp_path)
    template = _template_without_lake(tmp_path / "template.yaml")
    command: list[str | Path] = ["-m", "local_runtime", "serve", "--folder", tmp_path, "--template", template]
    with subprocess.Popen([sys.executable, *command], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            output = _until_it_serves(process)
            assert "the tables are built from the archive" in output
            (url, key) = re.findall(r"API (\S+)  docs", output)[0], (tmp_path / "data" / "api-key").read_text()
            answer = httpx.get(f"{url}/invoices/536365", headers={"X-Api-Key": key}, timeout=_END_SECONDS)
            erased = httpx.get(f"{url}/invoices/erased", headers={"X-Api-Key": key}, timeout=_END_SECONDS)
            process.send_signal(signal.SIGINT)
            assert erased.status_code == 404
            assert (answer.json()["line_count"], process.wait(_END_SECONDS)) == (1, 0)
        finally:
            process.kill()
    with lock_data(tmp_path / "data") as data:
        assert not data.needs_rebuild


def test_messages_about_objects_stay_when_the_engine_gets_another_port(tmp_path: Path) -> None:
    """The engine knows a queue by its port. What nobody received would wait in a queue that nobody asks."""
    with _engine(tmp_path) as (first, clients):
        queue = clients.sqs.get_queue_url(QueueName="local-LakeQueue")["QueueUrl"]
        clients.sqs.send_message(QueueUrl=queue, MessageBody="an object")
    with bind_loopback(first.port), _engine(tmp_path) as (second, clients):
        queue = clients.sqs.get_queue_url(QueueName="local-LakeQueue")["QueueUrl"]
        received = clients.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
        assert second.port != first.port
        assert "an object" in [message["Body"] for message in received]


def test_stores_that_could_not_be_saved_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk, for instance: what looks like a good end is none."""
    monkeypatch.setattr("local_runtime.run.start_pipeline", _start_nothing)
    monkeypatch.setattr("local_runtime.run._Session", _EndsAtOnce)
    with pytest.raises(RunError, match="could not save its tables; rows of its last second may be missing"):
        serve(PROJECT_TEMPLATE, tmp_path, Console())


def _start_nothing(_supervisor: object, _folder: object, _template: object, _inbox: object, data: DataFolder) -> None:
    """The engine starts, and saves nothing."""
    data.note_engine_started()


class _EndsAtOnce:
    def __init__(self, *_: object) -> None:
        pass

    def serve(self, _: str) -> int:
        return 0
