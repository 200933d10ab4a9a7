"""A mapping's properties have the defaults and the limits that AWS documents."""

import pytest
from pydantic import ValidationError

from local_runtime.event_source_mapping import MappingSettings


def settings(**properties: object) -> MappingSettings:
    return MappingSettings.model_validate({"StartingPosition": "TRIM_HORIZON"} | properties)


def test_defaults_are_those_of_aws() -> None:
    """Batches of 100 without a window, one queue, no partial failures, no bisecting, no limit of retries or age."""
    expected = {
        "Stream": None,
        "StartingPosition": "TRIM_HORIZON",
        "BatchSize": 100,
        "MaximumBatchingWindowInSeconds": 0,
        "ParallelizationFactor": 1,
        "FunctionResponseTypes": (),
        "BisectBatchOnFunctionError": False,
        "MaximumRetryAttempts": -1,
        "MaximumRecordAgeInSeconds": -1,
        "DestinationConfig": None,
        "MetricsConfig": None,
    }

    assert expected == settings().model_dump()


@pytest.mark.parametrize(
    "properties",
    [
        {"BatchSize": 0},
        {"BatchSize": 10_001, "MaximumBatchingWindowInSeconds": 1},
        {"MaximumBatchingWindowInSeconds": 301},
        {"ParallelizationFactor": 0},
        {"ParallelizationFactor": 11},
        {"FunctionResponseTypes": ["Everything"]},
        {"MaximumRetryAttempts": -2},
        {"MaximumRetryAttempts": 10_001},
        {"MaximumRecordAgeInSeconds": 59},
        {"MaximumRecordAgeInSeconds": 604_801},
        {"StartingPosition": "AT_TIMESTAMP"},
        {"DestinationConfig": {"OnFailure": {"Destination": {"Fn::GetAtt": ["RawBucket", "Arn"]}}}},
        {"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:000000000000:queue"}}},
        {"FilterCriteria": {"Filters": []}},
    ],
)
def test_invalid_and_unsupported_properties_are_refused(properties: dict[str, object]) -> None:
    """These are values out of range, unresolved references, other destinations and unknown properties."""
    with pytest.raises(ValidationError):
        settings(**properties)


@pytest.mark.parametrize(
    "properties",
    [
        {"BatchSize": 10_000, "MaximumBatchingWindowInSeconds": 300},
        {"ParallelizationFactor": 10},
        {"MaximumRetryAttempts": 0},
        {"MaximumRetryAttempts": 10_000},
        {"MaximumRecordAgeInSeconds": 60},
        {"MaximumRecordAgeInSeconds": 604_800},
        {"MaximumRecordAgeInSeconds": -1},
        {"StartingPosition": "LATEST"},
    ],
)
def test_the_limits_of_every_range_are_accepted(properties: dict[str, object]) -> None:
    """They are AWS's smallest and largest values."""
    dumped = settings(**properties).model_dump()

    assert properties == {name: dumped[name] for name in properties}


def test_a_batch_size_above_ten_needs_a_window() -> None:
    """A BatchSize of 10 needs none, and 11 needs one."""
    assert settings(BatchSize=10).BatchSize == 10
    with pytest.raises(ValidationError, match="needs a MaximumBatchingWindowInSeconds"):
        settings(BatchSize=11)


def test_an_s3_destination_names_its_bucket() -> None:
    """The bucket's name is the last part of the ARN."""
    config = {"OnFailure": {"Type": "S3", "Destination": "arn:aws:s3:::raw-bucket"}}

    assert settings(DestinationConfig=config).failure_bucket == "raw-bucket"
