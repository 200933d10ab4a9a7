"""What a build takes out of botocore's data."""

import json
import shutil
from pathlib import Path

import botocore
import pytest
from botocore.session import Session

from deployment.slim_botocore import main

DATA = Path(botocore.__file__).parent / "data"
KEPT = ("dynamodb", "s3", "sts")


@pytest.fixture
def slim(tmp_path: Path) -> Path:
    for path in (each for each in DATA.iterdir() if each.is_file()):
        shutil.copy(path, tmp_path)
    for service in KEPT:
        shutil.copytree(DATA / service, tmp_path / service)
    main(tmp_path)
    return tmp_path


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "us-gov-west-1", "cn-north-1"])
@pytest.mark.parametrize("service", KEPT)
def test_a_client_speaks_to_the_same_endpoint(
    service: str, region: str, slim: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In every partition of AWS, and with every operation that it had."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    whole, less = Session(), Session()
    less.get_component("data_loader").search_paths[:] = [str(slim)]
    ours, theirs = (each.create_client(service, region_name=region) for each in (less, whole))
    assert ours.meta.endpoint_url == theirs.meta.endpoint_url
    assert ours.meta.service_model.operation_names == theirs.meta.service_model.operation_names


def test_what_nobody_reads_is_gone(slim: Path) -> None:
    """Endpoints of other services, above all."""
    partitions = json.loads((slim / "endpoints.json").read_text())["partitions"]
    assert {name for partition in partitions for name in partition["services"]} == set(KEPT)
    assert (slim / "endpoints.json").stat().st_size * 50 < (DATA / "endpoints.json").stat().st_size
