"""The environment that a process gets."""

import os
import subprocess
from pathlib import Path

from local_runtime.engine import engine_environment
from local_runtime.environment import aws_environment, machine_environment, write_environment
from local_runtime.folder import RunFolder


def test_the_users_own_settings_stay_outside(tmp_path: Path) -> None:
    """A profile or a proxy of the user's must not lead a local run anywhere else."""
    own = {"PATH": "/bin", "AWS_PROFILE": "work", "AWS_ENDPOINT_URL_S3": "https://s3", "HTTP_PROXY": "http://proxy"}
    expected = {"PATH": "/bin", "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    assert expected == machine_environment(own, tmp_path)


def test_the_endpoint_is_the_engines() -> None:
    """boto3's own variable; no code asks whether it is local."""
    environment = aws_environment("http://127.0.0.1:4566")
    assert ("http://127.0.0.1:4566", os.devnull) == (environment["AWS_ENDPOINT_URL"], environment["AWS_CONFIG_FILE"])


def test_the_written_file_can_be_sourced(tmp_path: Path) -> None:
    """`set -a; . FILE` gives a developer the API's environment, whatever is in a value."""
    write_environment(tmp_path / "env", {"A": "it's $HOME", "B": "2"})
    printed = subprocess.run(
        ["sh", "-c", 'set -a; . "$1"; printf "%s|%s" "$A" "$B"', "sh", str(tmp_path / "env")],
        check=True,
        capture_output=True,
        text=True,
    )
    assert printed.stdout == "it's $HOME|2"


def test_the_engine_keeps_nothing(tmp_path: Path) -> None:
    """Its port is in its environment, because it writes addresses into its answers."""
    environment = engine_environment({}, RunFolder(tmp_path), 5000)
    assert (environment["GATEWAY_PORT"], environment["PERSIST_STATE"]) == ("5000", "0")


def test_all_that_the_engine_may_write_is_in_the_runs_folder(tmp_path: Path) -> None:
    """Nothing under /tmp, nothing under the user's home, no look at Docker."""
    environment = engine_environment({}, RunFolder(tmp_path), 5000)
    paths = [environment[name].removeprefix("unix://") for name in ("STATE_DIR", "S3_DATA_DIR", "HOME", "DOCKER_HOST")]
    assert all(path.startswith(str(tmp_path)) for path in paths)
