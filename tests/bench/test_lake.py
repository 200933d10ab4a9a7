"""The lake's figures are of what a refresh really wrote."""

from pathlib import Path

import pytest

from bench.lake import lake_findings
from local_runtime.environment import aws_environment
from local_runtime.sample import write_sample


@pytest.mark.slow
def test_a_re_send_writes_nothing_and_every_question_is_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in aws_environment("http://127.0.0.1:9"):
        monkeypatch.setenv(name, "replaced by the bench")  # and restored after it
    write_sample(tmp_path / "rows.csv", 500)
    findings = {each.what: each for each in lake_findings(tmp_path / "rows.csv", rows=1_000)}
    assert findings["lake, versions written by a re-send"].met
    assert findings["lake, CPU us a row, in order"].note == "1,000 rows"
    assert sum("question" in what for what in findings) == 6
