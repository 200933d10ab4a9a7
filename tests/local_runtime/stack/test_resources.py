"""Resources are created as the template defines them."""

from pathlib import Path

import pytest

from aws.clients import dynamodb_client, kinesis_client, s3_client, sqs_client
from local_runtime.errors import RunError
from local_runtime.stack.resources import Clients, create_resources
from local_runtime.stack.template import Template, physical_names
from tests.local_runtime.templates import changed_template, project_template, template_of


@pytest.fixture
def clients(aws: None) -> Clients:
    return Clients(kinesis_client(), s3_client(), dynamodb_client(), sqs_client())


def _create(template: Template, clients: Clients) -> None:
    create_resources(template, physical_names(template), clients)


def test_a_key_that_is_renamed_in_the_template_is_renamed_in_the_table(clients: Clients, tmp_path: Path) -> None:
    """No Python code repeats a key."""
    _create(changed_template(tmp_path, "SliceId", "PieceId"), clients)
    table = clients.dynamodb.describe_table(TableName="local-InvoicesTable")["Table"]
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["InvoiceNo", "PieceId"]


def test_an_on_demand_stream_starts_with_four_shards(clients: Clients) -> None:
    """AWS does the same. Code that needs one order for the whole stream fails here, too."""
    _create(project_template(), clients)
    assert len(clients.kinesis.list_shards(StreamName="local-Stream")["Shards"]) == 4


def test_a_provisioned_stream_has_the_templates_shards(clients: Clients, tmp_path: Path) -> None:
    """ShardCount is applied."""
    _create(template_of(tmp_path, "Resources: {S: {Type: AWS::Kinesis::Stream, Properties: {ShardCount: 2}}}"), clients)
    assert len(clients.kinesis.list_shards(StreamName="local-S")["Shards"]) == 2


def test_the_stream_has_the_templates_retention(clients: Clients, tmp_path: Path) -> None:
    """RetentionPeriodHours is applied."""
    text = "Resources: {S: {Type: AWS::Kinesis::Stream, Properties: {RetentionPeriodHours: 48}}}"
    _create(template_of(tmp_path, text), clients)
    stream = clients.kinesis.describe_stream_summary(StreamName="local-S")["StreamDescriptionSummary"]
    assert stream["RetentionPeriodHours"] == 48


def test_the_bucket_keeps_versions_and_blocks_public_access(clients: Clients) -> None:
    """Both settings come from the template."""
    _create(project_template(), clients)
    versioning = clients.s3.get_bucket_versioning(Bucket="local-rawbucket")["Status"]
    access = clients.s3.get_public_access_block(Bucket="local-rawbucket")["PublicAccessBlockConfiguration"]
    assert ("Enabled", {True}) == (versioning, set(access.values()))


def test_the_resource_of_a_refused_property_is_named(clients: Clients, tmp_path: Path) -> None:
    """The error is one sentence, not a traceback of botocore's."""
    text = "Resources: {T: {Type: AWS::DynamoDB::Table, Properties: {KeySchema: wrong}}}"
    with pytest.raises(RunError, match="the template's T cannot be created") as caught:
        _create(template_of(tmp_path, text), clients)
    assert "\n" not in str(caught.value)


def test_a_shard_count_that_is_not_a_number_is_an_error(clients: Clients, tmp_path: Path) -> None:
    """`two` is text in YAML."""
    text = "Resources: {S: {Type: AWS::Kinesis::Stream, Properties: {ShardCount: two}}}"
    with pytest.raises(RunError, match="ShardCount is not a whole number"):
        _create(template_of(tmp_path, text), clients)
