"""DynamoDB answers 200 and has done only a part: `UnprocessedItems`, `UnprocessedKeys`."""

import copy
import json
from collections.abc import Callable
from random import Random
from typing import Any, TypeAlias

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from chaos.aws_call import AwsCall, json_answer

_Deliver: TypeAlias = Callable[[AWSPreparedRequest], AWSResponse]
_Entries: TypeAlias = dict[str, list[Any]]

_LEFT = {"BatchWriteItem": "UnprocessedItems", "BatchGetItem": "UnprocessedKeys"}


def partly(call: AwsCall, chance: Random, deliver: _Deliver) -> AWSResponse:
    """Ask for some of the entries only and answer with the rest as undone. All of them may be left."""
    asked = call.parameters["RequestItems"]
    done, left = _split(_entries(asked, call.operation), chance)
    name = _LEFT[call.operation]
    content = _answer_to(call, _request_items(asked, done, call.operation), deliver) if done else _nothing(call)
    content[name] = {**content.get(name, {}), **_request_items(asked, left, call.operation)}
    return json_answer(call.request.url, content)


def _entries(asked: dict[str, Any], operation: str) -> _Entries:
    return {table: entry if operation == "BatchWriteItem" else entry["Keys"] for table, entry in asked.items()}


def _split(entries: _Entries, chance: Random) -> tuple[_Entries, _Entries]:
    """At least one entry is left undone."""
    pairs = [(table, entry) for table, listed in entries.items() for entry in listed]
    chance.shuffle(pairs)
    cut = chance.randrange(len(pairs))
    return _grouped(pairs[:cut]), _grouped(pairs[cut:])


def _grouped(pairs: list[tuple[str, Any]]) -> _Entries:
    grouped: _Entries = {}
    for table, entry in pairs:
        grouped.setdefault(table, []).append(entry)
    return grouped


def _request_items(asked: dict[str, Any], entries: _Entries, operation: str) -> dict[str, Any]:
    if operation == "BatchWriteItem":
        return dict(entries)
    return {table: {**asked[table], "Keys": keys} for table, keys in entries.items()}


def _answer_to(call: AwsCall, request_items: dict[str, Any], deliver: _Deliver) -> dict[str, Any]:
    request = copy.copy(call.request)
    request.body = json.dumps({**call.parameters, "RequestItems": request_items}).encode()
    request.headers = copy.copy(request.headers)
    request.headers["Content-Length"] = str(len(request.body))
    content: dict[str, Any] = json.loads(deliver(request).content)
    return content


def _nothing(call: AwsCall) -> dict[str, Any]:
    return {"Responses": {}} if call.operation == "BatchGetItem" else {}
