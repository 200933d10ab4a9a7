"""The engine, as a real process."""

import importlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ministack.services import kinesis

from local_runtime.engine import Engine, engine_environment, start_engine
from local_runtime.environment import machine_environment
from local_runtime.folder import RunFolder, lock_folder
from local_runtime.processes import Supervisor, supervise
from local_runtime.stack.resources import create_resources, engine_clients
from local_runtime.stack.template import physical_names
from tests.local_runtime.templates import project_template

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[RunFolder]:
    with lock_folder(tmp_path / "run") as folder:
        yield folder


def _start(supervisor: Supervisor, folder: RunFolder) -> Engine:
    return start_engine(supervisor, folder, machine_environment(os.environ, folder.temporary))


def test_the_projects_resources_can_be_created(folder: RunFolder) -> None:
    """Stream, bucket and tables exist afterwards, and nothing else does."""
    template = project_template()
    with supervise() as supervisor:
        clients = engine_clients(_start(supervisor, folder).endpoint)
        create_resources(template, physical_names(template), clients)
        tables = clients.dynamodb.list_tables()["TableNames"]
        buckets = [bucket["Name"] for bucket in clients.s3.list_buckets()["Buckets"]]
        streams = clients.kinesis.list_streams()["StreamNames"]
    expected = (
        ["local-BatchesTable", "local-CustomersTable", "local-InvoicesTable", "local-KeysTable"],
        ["local-lakebucket", "local-rawbucket"],
        ["local-Stream"],
    )
    assert (sorted(tables), buckets, streams) == expected


def test_two_engines_run_side_by_side_and_leave_nothing_behind(folder: RunFolder) -> None:
    """They have different ports. No state, lock file or pid file stays."""
    with supervise() as supervisor:
        endpoints = {_start(supervisor, folder).endpoint for _ in range(2)}
    assert (len(endpoints), list(folder.temporary.iterdir())) == (2, [])


def test_the_engine_persists_nothing(tmp_path: Path) -> None:
    """It knows its port, because it writes addresses into its responses."""
    environment = engine_environment({}, RunFolder(tmp_path), 5000)
    assert (environment["GATEWAY_PORT"], environment["PERSIST_STATE"]) == ("5000", "0")


def test_the_engine_writes_into_the_runs_folder_only(tmp_path: Path) -> None:
    """It writes nothing to /tmp or to the user's home, and has no access to Docker."""
    environment = engine_environment({}, RunFolder(tmp_path), 5000)
    paths = [environment[name].removeprefix("unix://") for name in ("STATE_DIR", "S3_DATA_DIR", "HOME", "DOCKER_HOST")]
    assert all(path.startswith(str(tmp_path)) for path in paths)


def test_the_engine_forgets_an_iterator_after_five_seconds() -> None:
    """A call looks through all that it remembers."""
    importlib.import_module("local_runtime.ministack_app")
    iterators = {f"{age} s": {"created_at": time.time() - age} for age in (2, 8)}
    kinesis._shard_iterators.update(iterators)  # noqa: SLF001 - no call makes an old one
    kinesis._expire_iterators()  # noqa: SLF001
    remembered = [name for name in iterators if name in kinesis._shard_iterators]  # noqa: SLF001
    assert remembered == ["2 s"]
