"""BatchWriteItem without botocore's serializer, which takes longer for the items than all of our own work on them.

The items are in DynamoDB's wire form already, so a call's parameters *are* its body: pydantic's writer of JSON takes a
third of the time of `json`. botocore does everything else: endpoint, signature, retries, the answer. It still checks
the form of one request a table, without what the item holds.
"""

from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_OPERATION = "dynamodb.BatchWriteItem"
_BODY = "invoice_stream_body"


def skip_item_serialization(client: "DynamoDBClient") -> None:
    """From now on this client's BatchWriteItem takes no `bytes` in items: they would be written as text."""
    client.meta.events.register(f"provide-client-params.{_OPERATION}", _keep_body)  # type: ignore[arg-type]  # this event takes an answer
    client.meta.events.register(f"before-call.{_OPERATION}", _put_body)


def _keep_body(params: dict[str, Any], context: dict[str, Any], **_: object) -> dict[str, Any]:
    """The answer is what botocore goes on with in place of the parameters."""
    context[_BODY] = to_json(params)
    shown = {table: [_emptied(each) for each in requests[:1]] for table, requests in params["RequestItems"].items()}
    return {**params, "RequestItems": shown}


def _emptied(request: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {kind: {name: {} for name in what} for kind, what in request.items()}


def _put_body(params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
    params["body"] = context[_BODY]
