"""The real December 2010, where it is at hand: beside this repository, or where ONLINE_RETAIL_CSV says."""

import gzip
import os
import random
from pathlib import Path

import pytest

from tests.client.fake_api import FakeApi
from tests.client.run_client import run, summary_of

_BESIDE = Path(__file__).parents[3] / "shared" / "data" / "online_retail_2010-12.csv.gz"


@pytest.fixture(scope="module")
def real_file() -> Path:
    path = Path(os.environ.get("ONLINE_RETAIL_CSV", _BESIDE))
    if not path.exists():
        pytest.skip("the real data set is not part of this repository")
    return path


def test_every_real_row_is_accepted_and_is_itself(real_file: Path) -> None:
    """42,481 rows, 42,481 line ids: repeats are kept, nothing is refused."""
    api = FakeApi()
    result = run(api, "send", real_file, "--json", "--journal", "journal")
    assert (result.exit_code, summary_of(result)["accepted"], len(api.lines)) == (0, 42_481, 42_481)
    assert len({line.InvoiceNo for line in api.lines.values()}) == 2025


def test_a_shuffled_copy_has_the_same_lines(real_file: Path) -> None:
    """Also in batches of another size."""
    header, *rows = gzip.decompress(real_file.read_bytes()).splitlines(keepends=True)
    random.Random(1).shuffle(rows)  # noqa: S311 - repeatable, not secret
    Path("shuffled.csv").write_bytes(header + b"".join(rows))
    plain, shuffled = FakeApi(), FakeApi()
    run(plain, "send", real_file, "--journal", "journal")
    run(shuffled, "send", "shuffled.csv", "--batch-rows", "3000")
    assert plain.lines.keys() == shuffled.lines.keys()
