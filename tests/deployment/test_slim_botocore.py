"""What a build takes out of botocore's data."""

import json
import shutil
from pathlib import Path

import botocore
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.session import Session

from deployment.slim_botocore import main

pytestmark = pytest.mark.slow

DATA = Path(botocore.__file__).parent / "data"
KEPT = ("dynamodb", "kinesis", "s3", "sts")
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
    """In every partition of AWS, and with every operation that it had."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    less, whole = (facts(session, service, region, VARIANTS[variant]) for session in sessions)
    assert less == whole


def facts(session: Session, service: str, region: str, config: Config) -> tuple[str, list[str]]:
    """A client's endpoint and operations, or why there is none: some partitions have no dual stack."""
    try:
        client = session.create_client(service, region_name=region, config=config)
    except BotoCoreError as error:
        return str(error), []
    return client.meta.endpoint_url, client.meta.service_model.operation_names


def test_what_nobody_reads_is_gone(slim: Path) -> None:
    """Endpoints of other services, above all."""
    partitions = json.loads((slim / "endpoints.json").read_text())["partitions"]
    assert {name for partition in partitions for name in partition["services"]} == set(KEPT)
    assert (slim / "endpoints.json").stat().st_size * 50 < (DATA / "endpoints.json").stat().st_size
