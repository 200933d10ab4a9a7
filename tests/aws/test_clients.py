"""How clients are made, and that DynamoDB gets the body that botocore itself would write."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import ParamValidationError

from aws.clients import FOR_REQUESTS, dynamodb_client, kinesis_client, session, skip_item_serialization
from aws.items import Item, slice_item
from invoices.invoice import slices_of
from invoices.rows import read_ndjson
from tests.invoice_rows import ndjson, row

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def items() -> list[Item]:
    """Of two invoices, with a pound sign, a quote and a missing description."""
    rows = [row(Description='6" \u00a3'), row(Description=None, Occurrence=2), row(InvoiceNo="9")]
    return [slice_item(invoice_slice) for invoice_slice in slices_of(read_ndjson(ndjson(rows)), "batch")]


def body_of(client: "DynamoDBClient", put: list[Item]) -> object:
    """The JSON that the client sends to DynamoDB."""
    bodies: list[bytes] = []

    def keep(request: AWSPreparedRequest, **_: object) -> None:
        assert isinstance(request.body, bytes)
        bodies.append(request.body)

    client.meta.events.register_first("before-send.dynamodb.BatchWriteItem", keep)
    client.batch_write_item(RequestItems={"invoices": [{"PutRequest": {"Item": item}} for item in put]})
    return json.loads(bodies[0])


def test_a_client_takes_its_region_from_lambdas_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore itself reads only AWS_DEFAULT_REGION."""
    monkeypatch.setenv("AWS_REGION", "eu-west-2")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert kinesis_client().meta.region_name == "eu-west-2"


def test_the_body_is_that_of_botocore(dynamodb: "DynamoDBClient") -> None:
    """It holds every item and nothing else."""
    plain = boto3.client("dynamodb")
    assert body_of(dynamodb_client(), items()) == body_of(plain, items())


def test_items_are_read_as_botocore_reads_them(dynamodb: "DynamoDBClient") -> None:
    """By Query and BatchGetItem, with everything that stands beside the items."""
    key: Item = {"InvoiceNo": {"S": "1"}, "SliceId": {"S": "é\x7f"}}
    values: Item = {"Lines": {"L": [{"L": [{"N": "-1.50"}, {"NULL": True}, {"BOOL": False}, {"M": {}}]}]}}
    dynamodb.put_item(TableName="invoices", Item={**key, **values})
    ours, plain = (
        (
            client.query(
                TableName="invoices",
                KeyConditionExpression="InvoiceNo = :no",
                ExpressionAttributeValues={":no": {"S": "1"}},
            ),
            client.batch_get_item(RequestItems={"invoices": {"Keys": [key]}}),
        )
        for client in (dynamodb_client(), boto3.client("dynamodb"))
    )
    assert [without_metadata(each) for each in ours] == [without_metadata(each) for each in plain]


def test_an_error_is_botocores(dynamodb: "DynamoDBClient") -> None:
    """Its parser reads the responses that are no success."""
    with pytest.raises(dynamodb.exceptions.ResourceNotFoundException):
        dynamodb.query(TableName="none", KeyConditionExpression="A = :a", ExpressionAttributeValues={":a": {"S": "1"}})


def without_metadata(response: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in response.items() if name != "ResponseMetadata"}


def test_a_malformed_request_is_refused_before_it_is_sent(dynamodb: "DynamoDBClient") -> None:
    """botocore still checks the form of a request."""
    client = boto3.client("dynamodb")
    skip_item_serialization(client)
    with pytest.raises(ParamValidationError):
        client.batch_write_item(RequestItems={"invoices": [{"Put": {}}]})  # type: ignore[list-item]


def test_the_worst_case_of_a_call_fits_into_a_request(aws: None) -> None:
    """Every attempt times out, and botocore waits up to 1 s and 2 s between them: 20 s. A gateway waits 30 s."""
    config = dynamodb_client(FOR_REQUESTS).meta.config
    attempts = config.retries["total_max_attempts"]  # type: ignore[attr-defined]
    waits = sum(2**number for number in range(attempts - 1))
    assert attempts * (config.connect_timeout + config.read_timeout) + waits <= 20  # type: ignore[attr-defined]
    assert dynamodb_client().meta.config.read_timeout == 10  # type: ignore[attr-defined]


def test_the_user_agent_is_made_once_for_a_client(aws: None) -> None:
    """It is the session's. What botocore would compute for a call names features of that call, too."""
    client = kinesis_client()
    sent: list[object] = []

    def keep(request: AWSPreparedRequest, **_: object) -> None:
        sent.append(request.headers["User-Agent"])

    client.meta.events.register_first("before-send.kinesis.ListStreams", keep)
    client.list_streams()
    assert sent == [session().user_agent().encode()]
