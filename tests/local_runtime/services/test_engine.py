"""The engine itself, started for real."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_runtime.engine import Engine, start_engine
from local_runtime.environment import machine_environment
from local_runtime.folder import RunFolder, held_folder
from local_runtime.processes import Supervisor, supervised
from local_runtime.stack.resources import create_resources, engine_clients, physical_names
from tests.local_runtime.templates import project_template


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[RunFolder]:
    with held_folder(tmp_path / "run") as folder:
        yield folder


def _start(supervisor: Supervisor, folder: RunFolder) -> Engine:
    return start_engine(supervisor, folder, machine_environment(os.environ, folder.temporary))


def test_it_takes_the_projects_template(folder: RunFolder) -> None:
    """Stream, bucket and tables exist once it is up, and nothing else does."""
    template = project_template()
    with supervised() as supervisor:
        clients = engine_clients(_start(supervisor, folder).endpoint)
        create_resources(template, physical_names(template), clients)
        tables = clients.dynamodb.list_tables()["TableNames"]
        buckets = [bucket["Name"] for bucket in clients.s3.list_buckets()["Buckets"]]
        streams = clients.kinesis.list_streams()["StreamNames"]
    expected = (
        ["local-CustomersTable", "local-InvoicesTable", "local-KeysTable"],
        ["local-rawbucket"],
        ["local-Stream"],
    )
    assert (sorted(tables), buckets, streams) == expected


def test_two_can_run_and_neither_leaves_anything_behind(folder: RunFolder) -> None:
    """The second has another port; no state, no lock file and no pid file stays."""
    with supervised() as supervisor:
        endpoints = {_start(supervisor, folder).endpoint for _ in range(2)}
    assert (len(endpoints), list(folder.temporary.iterdir())) == (2, [])
