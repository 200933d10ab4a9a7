"""Where the tests run: the project's folder, this machine's processor, and the Python that stands for Lambda's."""

import platform
import subprocess
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).parent.parent
LAMBDA_PYTHON = PROJECT / ".venv-lambda" / "bin" / "python"
TEMPLATE_PYTHON = "3.13"

_SAM_NAMES = {"aarch64": "arm64", "arm64": "arm64", "x86_64": "x86_64"}


def architecture() -> str:
    """This machine's, in SAM's words."""
    return _SAM_NAMES[platform.machine()]


@cache
def python_version(python: Path = LAMBDA_PYTHON) -> str:
    """Of .venv-lambda `3.13`, or what took its place when that was made."""
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    return subprocess.check_output([python, "-c", program], text=True).strip()
