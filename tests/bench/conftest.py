"""Rows that are the same everywhere: the beginning of the project's own sample."""

import os
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from aws.clients import session
from bench.rows import PostedBatch, posted_batches
from local_runtime.sample import write_sample


@pytest.fixture
def environment() -> Iterator[None]:
    """The measurements set variables and the session of all clients; both are put back."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
    boto3.DEFAULT_SESSION = None
    session.cache_clear()


@pytest.fixture
def batches(tmp_path: Path, environment: None) -> list[PostedBatch]:
    """2,000 rows in requests of at most 500."""
    csv = tmp_path / "sample.csv"
    write_sample(csv, 2_000)
    return list(posted_batches(csv, 500))
