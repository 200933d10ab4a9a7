"""A page token is valid only for the query that returned it."""

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoices.errors import Malformed
from pipeline_api.queries.models import LONGEST_TOKEN, page_token, parse_page_token
from tests.invoice_rows import row
from tests.pipeline_api.api_calls import Api
from tests.pipeline_api.store import store

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

IDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}", fullmatch=True)


@given(IDS, IDS)
def test_a_token_holds_its_position(query: str, position: str) -> None:
    """It is never longer than a caller may send."""
    token = page_token(query, position)
    assert parse_page_token(token, query) == position
    assert len(token) <= LONGEST_TOKEN


@given(IDS, st.text(max_size=LONGEST_TOKEN))
def test_any_other_text_is_malformed(query: str, text: str) -> None:
    """Whatever the text is."""
    with pytest.raises(Malformed):
        parse_page_token(text, query)


@given(IDS, st.integers(0, 20), st.characters(codec="ascii"))
def test_a_changed_token_is_malformed(position: str, place: int, other: str) -> None:
    """Whichever character was changed."""
    token = page_token("query", position)
    place %= len(token)
    changed = token[:place] + other + token[place + 1 :]
    if changed != token:
        with pytest.raises(Malformed):
            parse_page_token(changed, "query")


@pytest.mark.parametrize("path", ["/customers/2/invoices", "/invoices/100", "/customers/1/invoices"])
@pytest.mark.parametrize("token", ["", "x", "AAAA", "=" * 8, "\x00", "ü", page_token("invoices/100", "no-line")])
def test_a_forged_token_is_rejected(path: str, token: str, offline_api: Api) -> None:
    """The response is a problem and never a page of another query."""
    answer = offline_api.get(path, next_token=token)
    assert (answer.status_code, answer.json()["type"]) in {
        (400, "urn:invoice-stream:problem:malformed"),
        (404, "urn:invoice-stream:problem:not-found"),
    }


def test_the_token_of_another_customer_is_rejected(api: Api, dynamodb: "DynamoDBClient") -> None:
    """A token belongs to one query."""
    for customer in ("1", "2"):
        store(dynamodb, [row(InvoiceNo=str(n), CustomerID=customer) for n in range(3)])
    token = api.get("/customers/1/invoices", limit=1).json()["next_token"]
    answer = api.get("/customers/2/invoices", next_token=token)
    assert (answer.status_code, answer.json()["detail"]) == (
        400,
        "The next_token does not belong to this query.",
    )


def test_a_too_long_token_is_rejected_before_it_is_read(offline_api: Api) -> None:
    """It is an invalid parameter."""
    answer = offline_api.get("/invoices/1", next_token="A" * (LONGEST_TOKEN + 1))
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, "next_token")
