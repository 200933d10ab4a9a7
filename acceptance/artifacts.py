"""What `sam build` makes for this machine: one folder for each function, zipped as `sam deploy` uploads it."""

import os
import platform
import subprocess
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).parent.parent
LAMBDA_PYTHON = PROJECT / ".venv-lambda" / "bin" / "python"
TEMPLATE_PYTHON = "3.13"
FUNCTIONS = ("ApiFunction", "ToS3Function", "ToDynamodbFunction", "ToLakeFunction", "VacuumLakeFunction")


@dataclass(frozen=True)
class Build:
    folder: Path
    architecture: str

    @property
    def template(self) -> Path:
        return self.folder / "template.yaml"

    def artifact(self, function: str) -> Path:
        return self.folder / function

    def unzipped_bytes(self, function: str) -> int:
        return sum(path.stat().st_size for path in self.artifact(function).rglob("*") if path.is_file())

    def zipped_bytes(self, function: str) -> int:
        """The size that Lambda's limits and a cold start's download count."""
        archive = self.folder.parent / f"{function}.{self.architecture}.zip"
        artifact = self.artifact(function)
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
            for path in sorted(artifact.rglob("*")):
                zipped.write(path, path.relative_to(artifact))
        return archive.stat().st_size


def sam_build(folder: Path, architecture: str, python: Path = LAMBDA_PYTHON) -> Build:
    """Build all of them for this processor and this Python; the output is shown if it fails."""
    environment = {
        **os.environ,
        "ARCHITECTURE": architecture,
        "LAMBDA_PYTHON": str(python),
        "PYTHON_VERSION": python_version(python),
        "SAM_CLI_TELEMETRY": "0",
    }
    options = ["--build-dir", str(folder), "--parameter-overrides", f"Architecture={architecture}"]
    sam = PROJECT / ".venv-sam" / "bin" / "sam"
    finished = subprocess.run(
        [sam, "build", *options], cwd=PROJECT, env=environment, check=False, capture_output=True, text=True
    )
    assert finished.returncode == 0, finished.stderr[-3000:]
    return Build(folder, architecture)


def architecture() -> str:
    """This machine's, in SAM's words."""
    return "arm64" if platform.machine() in {"aarch64", "arm64"} else "x86_64"


@cache
def python_version(python: Path = LAMBDA_PYTHON) -> str:
    """Of .venv-lambda `3.13`, or what took its place when that was made."""
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    return subprocess.check_output([python, "-c", program], text=True).strip()
