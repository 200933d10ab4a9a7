"""What docs/lake.md tells readers to type works on a lake."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.consumers.lake.lakes import Lake
from tests.invoice_rows import row

pytestmark = pytest.mark.slow

DOCS = (Path(__file__).parents[3] / "docs" / "lake.md").read_text()


def test_the_snippet_for_deltalake_and_duckdb_works(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an interpreter of its own, with nothing of ours imported."""
    lake.archive("one", [row(Occurrence=1), row(Occurrence=2)])
    lake.refresh()
    monkeypatch.setenv("LAKE_BUCKET", lake.bucket)
    snippet = re.findall(r"^```python\n(import os.*?)^```", DOCS, re.MULTILINE | re.DOTALL)[0]
    done = subprocess.run([sys.executable, "-c", snippet], check=True, capture_output=True, text=True)
    assert done.stdout == "[('2010-12', Decimal('30.600000'))]\n"
