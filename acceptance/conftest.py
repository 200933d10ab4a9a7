"""One build and one data plane for all tests of a run."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from acceptance.artifacts import PROJECT, TEMPLATE_PYTHON, Build, architecture, python_version, sam_build
from local_runtime.engine import temporary_engine
from local_runtime.environment import aws_environment, machine_environment
from local_runtime.pipeline import create_key
from local_runtime.stack.functions import Function, read_functions
from local_runtime.stack.resources import Clients, create_resources, engine_clients
from local_runtime.stack.template import physical_names, read_template


@dataclass(frozen=True)
class DataPlane:
    """The template's stream, buckets and tables in an emulator, its functions, and what each needs to reach them."""

    clients: Clients
    functions: dict[str, Function]
    surroundings: dict[str, str]
    api_key: str


@pytest.fixture(scope="session", autouse=True)
def _which_python() -> None:
    where = f"Python {python_version()} on {architecture()}"
    stands_for = "Lambda's own" if python_version() == TEMPLATE_PYTHON else f"instead of Lambda's {TEMPLATE_PYTHON}"
    print(f"\nartifacts are built for and run by {where} ({stands_for})")


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    return sam_build(tmp_path_factory.mktemp("here") / "build", architecture())


@pytest.fixture(scope="session")
def arm64_build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """What is deployed by default, wherever the tests run."""
    return sam_build(tmp_path_factory.mktemp("arm64") / "build", "arm64")


@pytest.fixture(scope="session")
def data_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataPlane]:
    template = read_template(PROJECT / "template.yaml")
    physical = physical_names(template)
    machine = machine_environment(os.environ, tmp_path_factory.mktemp("plane"))
    with temporary_engine() as engine:
        clients = engine_clients(engine.endpoint)
        create_resources(template, physical, clients)
        functions = {function.name: function for function in read_functions(template, physical)}
        api_key = create_key(clients.dynamodb, functions["ApiFunction"].environment)
        yield DataPlane(clients, functions, {**machine, **aws_environment(engine.endpoint)}, api_key)
