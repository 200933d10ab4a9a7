"""The engine that a seed runs on: ministack plays Kinesis, S3 and DynamoDB in a process of its own."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from local_runtime.environment import aws_environment, machine_environment
from local_runtime.folder import held_folder
from local_runtime.processes import supervised
from local_runtime.services import start_engine


@contextmanager
def running_engine() -> Iterator[Mapping[str, str]]:
    """Run it inside the block; yields boto3's own variables, which lead every client to it."""
    with tempfile.TemporaryDirectory() as root, held_folder(Path(root)) as folder, supervised() as supervisor:
        machine = machine_environment(os.environ, folder.temporary)
        yield aws_environment(start_engine(supervisor, folder, machine).endpoint)
