"""The environment that a process gets."""

import os
import subprocess
from pathlib import Path

import pytest

from local_runtime.environment import aws_environment, bypass_proxies, machine_environment, write_environment


def test_the_users_own_settings_are_left_out(tmp_path: Path) -> None:
    """A profile or a proxy of the user's must not lead a local run to another place."""
    own = {"PATH": "/bin", "AWS_PROFILE": "work", "AWS_ENDPOINT_URL_S3": "https://s3", "HTTP_PROXY": "http://proxy"}
    expected = {"PATH": "/bin", "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    assert expected == machine_environment(own, tmp_path)


def test_the_endpoint_is_the_engines() -> None:
    """It is boto3's own variable; no code asks whether it runs locally."""
    environment = aws_environment("http://127.0.0.1:4566")
    assert ("http://127.0.0.1:4566", os.devnull) == (environment["AWS_ENDPOINT_URL"], environment["AWS_CONFIG_FILE"])


def test_a_shell_can_read_the_file(tmp_path: Path) -> None:
    """`set -a; . FILE` gives a developer the API's environment, whatever characters a value has."""
    write_environment(tmp_path / "env", {"A": "it's $HOME", "B": "2"})
    printed = subprocess.run(
        ["sh", "-c", 'set -a; . "$1"; printf "%s|%s" "$A" "$B"', "sh", str(tmp_path / "env")],
        check=True,
        capture_output=True,
        text=True,
    )
    assert printed.stdout == "it's $HOME|2"


def test_only_the_user_can_read_the_file_and_no_proxy_gets_its_requests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has an API key, and its addresses are of this machine."""
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    write_environment(tmp_path / "env", {"A": "1"})
    assert (tmp_path / "env").stat().st_mode & 0o777 == 0o600
    assert "NO_PROXY=127.0.0.1,localhost" in (tmp_path / "env").read_text()


def test_the_file_keeps_what_the_user_has_excluded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell that reads the file goes on to reach other hosts as before."""
    monkeypatch.setenv("NO_PROXY", "intranet,localhost")
    write_environment(tmp_path / "env", {"A": "1"})
    assert "\nno_proxy=intranet,localhost,127.0.0.1\n" in (tmp_path / "env").read_text()


@pytest.mark.parametrize(("name", "other"), [("NO_PROXY", "no_proxy"), ("no_proxy", "NO_PROXY")])
def test_a_run_goes_past_the_users_proxy(monkeypatch: pytest.MonkeyPatch, name: str, other: str) -> None:
    """What the user has excluded before, under either name, stays excluded for readers of both."""
    monkeypatch.setenv(name, "intranet")
    monkeypatch.delenv(other, raising=False)
    bypass_proxies()
    assert os.environ[name] == os.environ[other] == "intranet,127.0.0.1,localhost"
