"""The command line, without any further process."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from local_runtime.__main__ import app
from tests.local_runtime.templates import PROJECT_TEMPLATE

pytestmark = pytest.mark.slow


def _run(folder: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["run", "--once", "--folder", str(folder / "run"), *arguments])
    return result.exit_code, " ".join(result.output.split())


def test_a_missing_csv_is_named(tmp_path: Path) -> None:
    """The run ends before it starts anything."""
    missing = str(tmp_path / "none.csv")
    expected = (1, f"error: there is no file {missing}", False)
    assert (*_run(tmp_path, "--csv", missing), (tmp_path / "run").exists()) == expected


def test_a_folder_instead_of_a_csv_is_said_to_be_none(tmp_path: Path) -> None:
    """To say that there is no such file would be wrong."""
    assert _run(tmp_path, "--csv", str(tmp_path)) == (1, f"error: {tmp_path} is not a file")


def test_a_missing_template_is_named(tmp_path: Path) -> None:
    """The command may have been started in another folder."""
    code, output = _run(tmp_path, "--template", str(tmp_path / "template.yaml"))
    assert (code, "cannot be read: No such file or directory" in output) == (1, True)


def test_a_mistake_in_the_template_is_reported_before_anything_starts(tmp_path: Path) -> None:
    """The error is one sentence, without a traceback. No log is written."""
    template = tmp_path / "template.yaml"
    template.write_text(PROJECT_TEMPLATE.read_text().replace("STREAM_NAME: !Ref Stream", "STREAM_NAME: !Ref Strem"))
    code, output = _run(tmp_path, "--template", str(template))
    assert (code, list((tmp_path / "run" / "logs").iterdir())) == (1, [])
    assert output.endswith("error: the template refers to Strem, which the local runtime does not create")


@pytest.mark.parametrize("rows", [0, 3])
def test_sample_writes_the_rows_asked_for(tmp_path: Path, rows: int) -> None:
    """The header is not counted."""
    result = CliRunner().invoke(app, ["sample", "--rows", str(rows), "--out", str(tmp_path / "s.csv")])
    assert (result.exit_code, (tmp_path / "s.csv").read_bytes().count(b"\r\n")) == (0, rows + 1)
