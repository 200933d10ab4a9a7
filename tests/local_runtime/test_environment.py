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
    assert _shell(tmp_path / "env", "$A|$B") == "it's $HOME|2"


def _shell(file: Path, shown: str, times: int = 1, **variables: str) -> str:
    """What a shell with these variables prints after it has read the file."""
    script = f'set -eua; {times * ". $1; "} printf %s "{shown}"'
    environment = {"PATH": os.environ["PATH"], **variables}
    return subprocess.run(
        ["sh", "-c", script, "sh", str(file)], check=True, capture_output=True, text=True, env=environment
    ).stdout


def test_only_the_user_can_read_the_file(tmp_path: Path) -> None:
    """It has an API key."""
    write_environment(tmp_path / "env", {"A": "1"})
    assert (tmp_path / "env").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("own", "before"),
    [
        ({}, ("", "")),
        ({"NO_PROXY": "intranet"}, ("intranet,", "intranet,")),
        ({"no_proxy": "intranet,10.0.0.1"}, ("intranet,10.0.0.1,", "intranet,10.0.0.1,")),
        ({"NO_PROXY": "a", "no_proxy": "b,"}, ("a,", "b,")),
    ],
)
def test_the_shell_keeps_what_it_has_excluded_from_proxies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: dict[str, str], before: tuple[str, str]
) -> None:
    """It is another shell than the run's. This machine's addresses are added once, however often it reads the file."""
    monkeypatch.setenv("NO_PROXY", "of-the-run")
    write_environment(tmp_path / "env", {"A": "1"})
    lists = "|".join(f"{each}127.0.0.1,localhost" for each in before)
    assert [_shell(tmp_path / "env", "$NO_PROXY|$no_proxy", times, **own) for times in (1, 2, 3)] == [lists] * 3


@pytest.mark.parametrize(("name", "other"), [("NO_PROXY", "no_proxy"), ("no_proxy", "NO_PROXY")])
def test_a_run_goes_past_the_users_proxy(monkeypatch: pytest.MonkeyPatch, name: str, other: str) -> None:
    """What the user has excluded before, under either name, stays excluded for readers of both."""
    monkeypatch.setenv(name, "intranet")
    monkeypatch.delenv(other, raising=False)
    bypass_proxies()
    assert os.environ[name] == os.environ[other] == "intranet,127.0.0.1,localhost"
