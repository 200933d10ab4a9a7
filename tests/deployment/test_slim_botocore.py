"""What a build takes out of botocore's data."""

import json
import re
import shutil
from pathlib import Path

import botocore
import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.model import Shape
from botocore.session import Session

from deployment.slim_botocore import OPERATIONS, main

pytestmark = pytest.mark.slow

DATA = Path(botocore.__file__).parent / "data"
KEPT = ("dynamodb", "kinesis", "s3", "sqs", "sts")
SOURCE = Path(__file__).parents[2] / "src"
PACKAGES = ("invoices", "aws", "consumers", "pipeline_api")
REGIONS = [next(iter(Session().get_available_regions("sts", name))) for name in Session().get_available_partitions()]

VARIANTS = {
    "plain": Config(),
    "FIPS": Config(use_fips_endpoint=True),
    "dual stack": Config(use_dualstack_endpoint=True),
}


@pytest.fixture(scope="module")
def slim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for path in (each for each in DATA.iterdir() if each.is_file()):
        shutil.copy(path, folder)
    for service in KEPT:
        shutil.copytree(DATA / service, folder / service)
    main(folder)
    return folder


@pytest.fixture(scope="module")
def sessions(slim: Path) -> tuple[Session, Session]:
    """With less data, and with all of it. A session reads each file once."""
    less = Session()
    less.get_component("data_loader").search_paths[:] = [str(slim)]
    return less, Session()


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("service", KEPT)
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_client_speaks_to_the_same_endpoint(
    service: str, region: str, variant: str, sessions: tuple[Session, Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In every partition of AWS."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    less, whole = (endpoint(session, service, region, VARIANTS[variant]) for session in sessions)
    assert less == whole


def endpoint(session: Session, service: str, region: str, config: Config) -> str:
    """A client's endpoint, or why there is none: some partitions have no dual stack."""
    try:
        return session.create_client(service, region_name=region, config=config).meta.endpoint_url
    except BotoCoreError as error:
        return str(error)


@pytest.mark.parametrize("service", OPERATIONS)
def test_every_operation_that_a_function_calls_is_kept(service: str) -> None:
    """Any word of the source that is the name of an operation counts as a call."""
    source = "\n".join(path.read_text() for package in PACKAGES for path in (SOURCE / package).rglob("*.py"))
    words = set(re.findall(r"\w+", source))
    operations = Session().get_service_model(service).operation_names
    assert {name for name in operations if xform_name(name) in words} <= set(OPERATIONS[service])


@pytest.mark.parametrize(("service", "operation"), [(name, each) for name, kept in OPERATIONS.items() for each in kept])
def test_a_kept_operation_is_described_as_before(
    service: str, operation: str, sessions: tuple[Session, Session]
) -> None:
    """With every shape of its request, its response and its errors."""
    less, whole = (session.get_service_model(service).operation_model(operation) for session in sessions)
    for name in ("input_shape", "output_shape"):
        assert described(getattr(less, name)) == described(getattr(whole, name))
    assert [shape.name for shape in less.error_shapes] == [shape.name for shape in whole.error_shapes]


def described(shape: Shape | None, above: tuple[str, ...] = ()) -> object:
    """Names, types and how each part is written; a shape inside itself by its name."""
    if shape is None or shape.name in above:
        return shape and shape.name
    above = (*above, shape.name)
    inner = {name: described(each, above) for name, each in getattr(shape, "members", {}).items()}
    others = [described(getattr(shape, name), above) for name in ("member", "key", "value") if hasattr(shape, name)]
    return shape.name, shape.type_name, shape.serialization, inner, others


def test_what_nobody_reads_is_gone(slim: Path) -> None:
    """Endpoints of other services, above all."""
    partitions = json.loads((slim / "endpoints.json").read_text())["partitions"]
    assert {name for partition in partitions for name in partition["services"]} == set(KEPT)
    assert (slim / "endpoints.json").stat().st_size * 40 < (DATA / "endpoints.json").stat().st_size
