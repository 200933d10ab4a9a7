"""What is uploaded is small, complete, for the right machine, and from the lock file."""

import re
from pathlib import Path

import pytest

from acceptance.artifacts import FUNCTIONS, PROJECT, Build, python_version

MEGABYTE = 1024 * 1024
BUDGET = {"ApiFunction": 6 * MEGABYTE, "ToS3Function": 4 * MEGABYTE, "ToDynamodbFunction": 4 * MEGABYTE}
ENGINES = {"deltalake", "duckdb", "_duckdb.abi3.so", "arro3"}
MOST_UNZIPPED = 230 * MEGABYTE
"""Lambda takes 250 MB (AWS: Lambda quotas)."""

ELF_MACHINE = {"x86_64": 0x3E, "arm64": 0xB7}
WEB = {"fastapi", "starlette", "mangum", "anyio"}
NEVER = {"pandas", "numpy", "uvicorn", "ministack", "httpx", "local_runtime", "client", "cryptography"}


@pytest.fixture(params=["build", "arm64_build"])
def each_build(request: pytest.FixtureRequest) -> Build:
    """For this machine, and for the processor of the default deployment."""
    build: Build = request.getfixturevalue(request.param)
    return build


def top_level(artifact: Path) -> set[str]:
    return {path.name for path in artifact.iterdir()}


@pytest.mark.parametrize("function", BUDGET)
def test_an_artifact_keeps_its_budget(each_build: Build, function: str) -> None:
    """Zipped, as Lambda downloads it at a cold start."""
    size = each_build.zipped_bytes(function)
    print(f"\n{function} for {each_build.architecture}: {size / MEGABYTE:.2f} MB zipped")
    assert size <= BUDGET[function]


@pytest.mark.parametrize("function", ["ToLakeFunction", "VacuumLakeFunction"])
def test_the_lakes_artifact_is_below_lambdas_limit(each_build: Build, function: str) -> None:
    """Unzipped: two engines are in it."""
    size = each_build.unzipped_bytes(function)
    print(f"\n{function} for {each_build.architecture}: {size / MEGABYTE:.0f} MB unzipped")
    assert size <= MOST_UNZIPPED


@pytest.mark.parametrize(
    ("function", "unwanted"),
    [
        ("ApiFunction", NEVER | ENGINES | {"consumers"}),
        ("ToS3Function", NEVER | ENGINES | WEB | {"pipeline_api"}),
        ("ToDynamodbFunction", NEVER | ENGINES | WEB | {"pipeline_api"}),
        ("ToLakeFunction", NEVER | WEB | {"pipeline_api"}),
        ("VacuumLakeFunction", NEVER | WEB | {"pipeline_api"}),
    ],
)
def test_an_artifact_holds_nothing_it_does_not_import(build: Build, function: str, unwanted: set[str]) -> None:
    """A consumer starts without a web framework, and nobody starts with pandas."""
    assert top_level(build.artifact(function)) & unwanted == set()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_package_is_the_locked_one(build: Build, function: str) -> None:
    """uv has compared the hashes of those it found there; here, that it found all of them there."""
    locked = set(re.findall(r"^([a-z0-9-]+)==(\S+)", (PROJECT / "requirements.txt").read_text(), re.MULTILINE))
    folders = [path.name.removesuffix(".dist-info") for path in build.artifact(function).glob("*.dist-info")]
    installed = {(name.lower().replace("_", "-"), version) for name, version in (each.split("-") for each in folders)}
    assert installed - locked == set()


def test_compiled_modules_fit_the_machine(each_build: Build) -> None:
    """A wheel for another processor or another Python fails only at the first cold start."""
    modules = [module for function in FUNCTIONS for module in each_build.artifact(function).rglob("*.so")]
    machines = {int.from_bytes(module.read_bytes()[18:20], "little") for module in modules}
    tag = f"cpython-{python_version().replace('.', '')}"
    assert (machines, [module for module in modules if tag not in module.name and ".abi3." not in module.name]) == (
        {ELF_MACHINE[each_build.architecture]},
        [],
    )


@pytest.mark.parametrize("function", FUNCTIONS)
def test_everything_is_compiled_and_never_compared_with_its_source(build: Build, function: str) -> None:
    """Bytes 4 to 8 of a .pyc: 1 is a hash that is not checked (PEP 552). Without source there is nothing to check."""
    artifact = build.artifact(function)
    sources = list(artifact.rglob("*.py"))
    compiled = {path: next((path.parent / "__pycache__").glob(f"{path.stem}.cpython-*.pyc"), None) for path in sources}
    assert [path for path, pyc in compiled.items() if pyc is None or pyc.read_bytes()[4:8] != b"\1\0\0\0"] == []
