"""The environment of a process: what the machine needs, what the template sets, and no AWS settings of the user's."""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

REGION = "us-east-1"
_LOOPBACK = "127.0.0.1,localhost"
ACCESS_KEY = "local"  # the engine accepts any key
_FROM_THE_MACHINE = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "HOME", "SYSTEMROOT", "LD_LIBRARY_PATH")


def machine_environment(own: Mapping[str, str], temporary: Path) -> dict[str, str]:
    """The variables of `own` that any Python process needs, with temporary files inside the run's folder."""
    kept = {name: own[name] for name in _FROM_THE_MACHINE if name in own}
    return {**kept, "TMPDIR": str(temporary.resolve()), "PYTHONUNBUFFERED": "1"}


def aws_environment(endpoint: str) -> dict[str, str]:
    """boto3's own variables. They hide the user's profiles, so that no call can reach a real account."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": ACCESS_KEY,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def bypass_proxies() -> None:
    """Let this process reach loopback directly: no proxy can reach it for us.

    Programs read either name, so both get what either has.
    """
    os.environ.update(_no_proxy())


def write_environment(path: Path, environment: Mapping[str, str]) -> None:
    """For a shell: `set -a; . FILE`. What that shell has excluded from proxies stays so."""
    lines = "".join(f"{name}={shlex.quote(value)}\n" for name, value in environment.items())
    write_private(path, lines + _ADD_TO_NO_PROXY)


_NO_PROXY_NAMES = ("NO_PROXY", "no_proxy")
_ADD_TO_NO_PROXY = """\
NO_PROXY="${NO_PROXY:-${no_proxy-}}"
no_proxy="${no_proxy:-$NO_PROXY}"
NO_PROXY="${NO_PROXY%HOSTS}"
NO_PROXY="${NO_PROXY:+${NO_PROXY%,},}HOSTS"
no_proxy="${no_proxy%HOSTS}"
no_proxy="${no_proxy:+${no_proxy%,},}HOSTS"
""".replace("HOSTS", _LOOPBACK)
"""Programs read either name. A name without hosts takes those of the other. Then this machine's hosts are added at the
end, once, also if the shell reads the file again.
"""


def _no_proxy() -> dict[str, str]:
    lists = [*(os.environ.get(name, "") for name in _NO_PROXY_NAMES), _LOOPBACK]
    hosts = dict.fromkeys(host for each in lists for host in each.split(",") if host)
    return dict.fromkeys(_NO_PROXY_NAMES, ",".join(hosts))


def write_private(path: Path, text: str) -> None:
    """Only the user can read the file, because it has an API key."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)
