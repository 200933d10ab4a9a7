"""Each failure setting of each event source mapping, as CloudFormation gets it.

Every default of AWS here loses rows or blocks a shard, and AWS takes the settings one by one: a missing one is no
error anywhere.
"""

from typing import Any

import pytest

from tests.transformed import Transformed, transformed

BATCHES: dict[str, dict[str, object]] = {
    "ToS3FunctionStream": {"BatchSize": 100, "MaximumBatchingWindowInSeconds": 1},
    # With fan-out 10, the most that AWS takes without a window, or a row would wait for the window.
    "ToDynamodbFunctionStream": {
        "BatchSize": {"Fn::If": ["HasFanOut", 10, 25]},
        "MaximumBatchingWindowInSeconds": {"Fn::If": ["HasFanOut", 0, 1]},
    },
}
SOURCES: dict[str, object] = {
    "ToS3FunctionStream": {"Fn::GetAtt": ["Stream", "Arn"]},
    "ToDynamodbFunctionStream": {
        "Fn::If": [
            "HasFanOut",
            {"Fn::GetAtt": ["StreamConsumer", "ConsumerARN"]},
            {"Fn::GetAtt": ["Stream", "Arn"]},
        ]
    },
}
MAPPINGS = [*BATCHES]
TWENTY_HOURS, SIX_DAYS = 20 * 3600, 6 * 24 * 3600
RECORD_AGE = ["IsSmall", TWENTY_HOURS, SIX_DAYS]

EXPECTED: dict[str, object] = {
    "StartingPosition": "TRIM_HORIZON",  # LATEST would skip what was put while the stack was being made
    "ParallelizationFactor": 1,
    "FunctionResponseTypes": ["ReportBatchItemFailures"],  # or the answer is ignored, and what failed is lost
    "BisectBatchOnFunctionError": True,  # or a record that crashes the function takes its neighbours with it
    "MaximumRetryAttempts": 1000,  # unlimited by default: one record blocks its shard until it expires
    "MaximumRecordAgeInSeconds": {"Fn::If": RECORD_AGE},
    "DestinationConfig": {"OnFailure": {"Destination": {"Fn::GetAtt": ["RawBucket", "Arn"]}}},  # S3 keeps the data
}


@pytest.fixture(scope="module")
def stack() -> Transformed:
    return transformed()


def mapping(stack: Transformed, name: str) -> dict[str, Any]:
    properties: dict[str, Any] = stack["Resources"][name]["Properties"]
    return properties


@pytest.mark.parametrize("name", MAPPINGS)
@pytest.mark.parametrize(("setting", "value"), EXPECTED.items(), ids=EXPECTED)
def test_a_setting_is_what_it_must_be(stack: Transformed, name: str, setting: str, value: object) -> None:
    """Dropped, it falls back to AWS's default; swapped with another, it has the other's value."""
    assert mapping(stack, name).get(setting) == value


@pytest.mark.parametrize(("name", "batch"), BATCHES.items())
def test_a_batch_is_what_its_function_does_in_its_time(stack: Transformed, name: str, batch: dict[str, object]) -> None:
    """Archiving a record is one call, storing its lines may be hundreds."""
    assert {setting: mapping(stack, name)[setting] for setting in batch} == batch


@pytest.mark.parametrize("name", MAPPINGS)
def test_no_setting_is_unknown_here(stack: Transformed, name: str) -> None:
    """A new one has to be thought about."""
    assert set(mapping(stack, name)) == {*EXPECTED, *BATCHES[name], "EventSourceArn", "FunctionName"}


@pytest.mark.parametrize("name", MAPPINGS)
def test_a_mapping_reads_the_stream_for_its_own_function(stack: Transformed, name: str) -> None:
    """Two functions that swapped their mappings would both look healthy."""
    properties = mapping(stack, name)
    wired = (properties["EventSourceArn"], properties["FunctionName"])
    assert wired == (SOURCES[name], {"Ref": name.removesuffix("Stream")})


def test_a_record_is_given_up_before_the_stream_may_forget_it(stack: Transformed) -> None:
    """In both sizes, at the shortest retention; or it would never reach the on-failure destination."""
    retention = stack["Resources"]["Stream"]["Properties"]["RetentionPeriodHours"]
    condition, of_small, of_standard = retention["Fn::If"]
    shortest_hours = stack["Parameters"][of_standard["Ref"]]["MinValue"]
    ages = [mapping(stack, name)["MaximumRecordAgeInSeconds"] for name in MAPPINGS]
    assert (condition, ages) == ("IsSmall", [{"Fn::If": RECORD_AGE}] * len(MAPPINGS))
    assert (of_small * 3600 - TWENTY_HOURS, shortest_hours * 3600 - SIX_DAYS) == (4 * 3600, 24 * 3600)


@pytest.mark.parametrize("name", MAPPINGS)
def test_the_role_may_write_what_lambda_discards(stack: Transformed, name: str) -> None:
    """Without both grants Lambda drops the records, and only an alarm tells."""
    granted = {
        (action, str(statement["Resource"]))
        for statement in stack.statements(name.replace("FunctionStream", "Role"))
        for action in [statement["Action"]]
        if isinstance(action, str)
    }
    expected = {
        ("s3:PutObject", "{'Fn::Sub': '${RawBucket.Arn}/aws/lambda/*'}"),
        ("s3:ListBucket", "{'Fn::GetAtt': ['RawBucket', 'Arn']}"),
    }
    assert expected <= granted


def test_somebody_is_told_of_what_lambda_discards(stack: Transformed) -> None:
    """The bucket tells the alarms' topic of each batch; an alarm tells of one that Lambda could not write."""
    (told,) = stack["Resources"]["RawBucket"]["Properties"]["NotificationConfiguration"]["TopicConfigurations"]
    assert told["Topic"] == {"Ref": "AlarmTopic"}
    assert told["Filter"] == {"S3Key": {"Rules": [{"Name": "prefix", "Value": "aws/lambda/"}]}}
    failures = [
        alarm["Properties"]["Dimensions"][0]["Value"]["Ref"]
        for alarm in stack.of_type("AWS::CloudWatch::Alarm").values()
        if alarm["Properties"]["MetricName"] == "DestinationDeliveryFailures"
    ]
    assert failures == [name.removesuffix("Stream") for name in MAPPINGS]


def test_alarms_and_the_bucket_may_write_to_the_topic(stack: Transformed) -> None:
    """A policy of one's own replaces that of SNS; and S3 tests the topic before the bucket is there."""
    (statement,) = stack["Resources"]["AlarmTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": ["cloudwatch.amazonaws.com", "s3.amazonaws.com"]}
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    assert stack["Resources"]["RawBucket"]["DependsOn"] == "AlarmTopicPolicy"
