"""A pytest plugin that writes down every AWS call which our own code makes while the tests run.

`pytest -p acceptance.call_recorder`, with the file to write in AWS_CALLS_FILE. A call belongs to the module that makes
it, directly or through aws/bucket.py or aws/receipts.py. A call that a test makes in one of these ways does not count.
"""

import json
import os
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import botocore.session
import pytest

_SOURCE = Path(__file__).parent.parent / "src"
_SHARED = {_SOURCE / "aws" / "bucket.py", _SOURCE / "aws" / "receipts.py"}
_TESTS = Path(__file__).parent.parent / "tests"
_PERMISSIONS = {"s3:ListObjectsV2": "s3:ListBucket"}
"""Calls that need a permission of another name."""

_calls: set[str] = set()


def pytest_configure() -> None:
    create = botocore.session.Session.create_client

    def create_recorded(self: Any, *arguments: Any, **options: Any) -> Any:
        client = create(self, *arguments, **options)
        client.meta.events.register("before-parameter-build", _record)
        return client

    setattr(botocore.session.Session, "create_client", create_recorded)  # noqa: B010 - mypy has no way to say it


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Only tests that reach AWS's services: half of them, and nearly all calls come from these."""
    items[:] = [item for item in items if "aws" in getattr(item, "fixturenames", ())]


def pytest_sessionfinish() -> None:
    Path(os.environ["AWS_CALLS_FILE"]).write_text(json.dumps([json.loads(call) for call in sorted(_calls)]))


def _record(params: dict[str, Any], model: Any, **_rest: object) -> None:
    caller = _caller()
    if caller is None:
        return
    action = f"{model.service_model.service_name}:{model.name}"
    for resource in _resources(params):
        _calls.add(json.dumps([caller, _PERMISSIONS.get(action, action), resource]))


def _caller() -> str | None:
    """The innermost module but for those that several functions share; None if a test comes first."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - the documented way to one's callers
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if _TESTS in path.parents:
            return None
        if _SOURCE in path.parents and path not in _SHARED:
            return ".".join(path.relative_to(_SOURCE).with_suffix("").parts)
        frame = frame.f_back
    return None


def _resources(params: dict[str, Any]) -> list[str]:
    """What the call is about: streams, tables, a table's index, or a bucket with an object's key or a list's prefix."""
    if "Bucket" in params:
        return [f"{params['Bucket']}/{params.get('Key') or params.get('Prefix', '')}"]
    if "RequestItems" in params:
        return list(params["RequestItems"])
    index = f"/index/{params['IndexName']}" if "IndexName" in params else ""
    return [params.get("StreamName") or params["TableName"] + index]
