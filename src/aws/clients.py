"""How this project makes its AWS clients.

The endpoint, the region and the credentials come from boto3's own variables (`AWS_ENDPOINT_URL`, `AWS_REGION`, ...), so
the code that runs on a laptop is the code that runs on Lambda. The clients are botocore's, which are the same that
boto3 returns. boto3 itself is not imported: we use nothing of it, and it would add a sixth to a consumer's cold start.
"""

import json
import os
from contextlib import suppress
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

_CONFIG = Config(
    connect_timeout=2,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 3},  # in between botocore waits at most 1 s, then 2 s
    max_pool_connections=64,  # uvicorn's thread pool has 40 threads
    tcp_keepalive=True,
    s3={"addressing_style": "path"},  # one certificate or one loopback port serves every bucket name
)


FOR_REQUESTS = Config(connect_timeout=1, read_timeout=4)
"""Where a caller waits: three attempts end within 18 s, before API Gateway's 30 s and the function's limit."""

ONE_ATTEMPT = Config(connect_timeout=1, read_timeout=1, retries={"mode": "standard", "total_max_attempts": 1})
"""For a call that a request does not depend on: it delays the response by some 2 s at most."""


def kinesis_client(config: Config = _CONFIG) -> "KinesisClient":
    client: KinesisClient = _client("kinesis", config)
    return client


def s3_client(config: Config = _CONFIG) -> "S3Client":
    client: S3Client = _client("s3", config)
    return client


def dynamodb_client(config: Config = _CONFIG) -> "DynamoDBClient":
    """Its BatchWriteItem, Query and BatchGetItem handle no `bytes` in items, because JSON carries them as text."""
    client: DynamoDBClient = _client("dynamodb", config)
    skip_item_serialization(client)
    skip_item_parsing(client)
    return client


def sqs_client() -> "SQSClient":
    client: SQSClient = _client("sqs", _CONFIG)
    return client


def athena_client() -> "AthenaClient":
    client: AthenaClient = _client("athena", _CONFIG)
    return client


@cache
def session() -> botocore.session.Session:
    """One for all clients of a process: they share the service descriptions and the credentials that it has read."""
    return botocore.session.get_session()


def _client(service: str, config: Config) -> Any:
    # Lambda sets AWS_REGION, which botocore does not read. Without it, None selects botocore's own default.
    region = os.environ.get("AWS_REGION")
    # botocore would put the header User-Agent together twice for each call: an eighth of a small call's time.
    merged = _CONFIG.merge(config).merge(Config(user_agent=session().user_agent()))
    return session().create_client(service, region_name=region, config=merged)


def skip_item_serialization(client: "DynamoDBClient") -> None:
    """Write BatchWriteItem's body with pydantic's JSON writer instead of botocore's serializer.

    Our items already have DynamoDB's wire form, so a call's parameters are its body. botocore's serializer takes longer
    for them than all of our own work on them. botocore still does the rest: endpoint, signature, retries, the response.
    It validates the form of one request of each table, without the content of the item.
    """
    events = client.meta.events
    events.register("provide-client-params.dynamodb.BatchWriteItem", _replace_items)  # type: ignore[arg-type]  # the stubs allow no return value here
    events.register("before-call.dynamodb.BatchWriteItem", _set_body)


def skip_item_parsing(client: "DynamoDBClient") -> None:
    """Read the responses with items as plain JSON, which has the same form as what botocore's parser returns.

    That parser takes twice as long for an item as all of our own work on it.
    """
    for operation in ("Query", "BatchGetItem"):
        client.meta.events.register(f"before-parse.dynamodb.{operation}", _parse_json)


def _parse_json(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object) -> None:
    """botocore adds `customized_response_dict` to what it finds in the body. It parses errors itself."""
    if response_dict["status_code"] == HTTPStatus.OK:
        with suppress(ValueError):  # what is no JSON is left to botocore, too
            customized_response_dict.update(json.loads(response_dict["body"]))
            response_dict["body"] = b"{}"


_BODY = "invoice_stream_body"


def _replace_items(params: dict[str, Any], context: dict[str, Any], **_: object) -> dict[str, Any]:
    """Keep the real body in `context`. botocore goes on with the parameters that this returns."""
    from pydantic_core import to_json  # noqa: PLC0415 - to_s3 imports this module and starts without pydantic

    context[_BODY] = to_json(params)
    samples = {table: [_without_content(each) for each in batch[:1]] for table, batch in params["RequestItems"].items()}
    return {**params, "RequestItems": samples}


def _without_content(request: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {kind: {field: {} for field in fields} for kind, fields in request.items()}


def _set_body(params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
    params["body"] = context[_BODY]
