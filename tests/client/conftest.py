"""Every test of the client runs in a directory of its own, where default files may be written."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory; no address comes from the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("INVOICE_API_URL", raising=False)
    return tmp_path
