"""The API's answers as types, and the checks that they are what the API documents."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import TypedDict, TypeGuard, cast

import httpx

from client.errors import UnexpectedResponse


class RowError(TypedDict):
    """`index` counts the batch's rows from 0; `field` is None where the whole row is meant."""

    index: int
    field: str | None
    message: str


class IngestResponse(TypedDict):
    """What became of a batch; every rejected row is named in `errors` at least once."""

    accepted: int
    rejected: int
    errors: Sequence[RowError]


def read_ingest_answer(response: httpx.Response, key: str, rows: int) -> IngestResponse:
    """The answer to a batch of `rows` rows. Raises UnexpectedResponse unless it accounts for every one of them."""
    body = json_object(response)
    if response.status_code == HTTPStatus.ACCEPTED:
        _check_key(body, key)
        return counted_answer(body, rows)
    return counted_answer({**body, "accepted": 0, "rejected": rows}, rows)


def counted_answer(body: Mapping[str, object], rows: int) -> IngestResponse:
    """Raises UnexpectedResponse unless it accounts for `rows` rows."""
    errors = body.get("errors")
    if not _are_row_errors(errors):
        raise UnexpectedResponse("The API's answer does not name the errors of rows.")
    answer = IngestResponse(accepted=_count(body, "accepted"), rejected=_count(body, "rejected"), errors=errors)
    _check_sum(answer, rows)
    return answer


def json_object(response: httpx.Response) -> dict[str, object]:
    try:
        body: object = response.json()
    except (ValueError, RecursionError) as error:
        raise UnexpectedResponse(_no_json(response)) from error
    if not isinstance(body, dict):
        raise UnexpectedResponse(_no_json(response))
    return cast("dict[str, object]", body)


def problem_text(response: httpx.Response) -> str:
    """Title and detail of a problem document (RFC 9457), else the status."""
    try:
        body = json_object(response)
    except UnexpectedResponse:
        body = {}
    parts = [part for part in (body.get("title"), body.get("detail")) if isinstance(part, str) and part]
    return ": ".join(parts) or f"{response.status_code} {response.reason_phrase}"


def _no_json(response: httpx.Response) -> str:
    return f"The answer ({response.status_code}) is no JSON object; is this the address of the invoice API?"


def _are_row_errors(value: object) -> TypeGuard[list[RowError]]:
    return isinstance(value, list) and all(_is_row_error(each) for each in value)


def _is_row_error(value: object) -> bool:
    return (
        isinstance(value, dict)
        and type(value.get("index")) is int
        and isinstance(value.get("field"), str | None)
        and isinstance(value.get("message"), str)
    )


def _count(body: Mapping[str, object], name: str) -> int:
    value = body.get(name)
    if type(value) is not int:
        raise UnexpectedResponse(f"The API's answer does not say how many rows were {name}.")
    return value


def _check_key(body: dict[str, object], key: str) -> None:
    if body.get("batch_id") != key:
        raise UnexpectedResponse("The API's answer is about another batch than the one that was sent.")


def _check_sum(answer: IngestResponse, rows: int) -> None:
    named = {error["index"] for error in answer["errors"]}
    adds_up = answer["accepted"] >= 0 and answer["accepted"] + answer["rejected"] == rows
    if not adds_up or len(named) != answer["rejected"] or not all(0 <= index < rows for index in named):
        raise UnexpectedResponse(
            f"The API's answer does not add up: {rows:,} rows were sent, {answer['accepted']:,} accepted, "
            f"{answer['rejected']:,} rejected and {len(named):,} named."
        )
