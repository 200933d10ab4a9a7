"""Parameters of path and query follow the same rules as the fields of a row."""

import json

import pytest

from invoices.fields import RULES
from pipeline_api.error_handlers import QUERY_PARAMETERS
from tests.pipeline_api.api_calls import Api
from tests.pipeline_api.openapi_document import openapi_text

VALUE = "Jane Doe"
ID_RULE = RULES["InvoiceNo"]
NOT_HERE = "is not a parameter of this route"
UNKNOWN = {"parameter": None, "message": "a query parameter is unknown"}

REPEATED = {"parameter": None, "message": "a query parameter is repeated"}


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/invoices", {"parameter": "InvoiceNo", "message": "is missing"}),
        ("/invoices?InvoiceNo=", {"parameter": "InvoiceNo", "message": ID_RULE}),
        (f"/invoices?InvoiceNo={VALUE}", {"parameter": "InvoiceNo", "message": ID_RULE}),
        (f"/invoices?InvoiceNo=1&StockCode={VALUE}", {"parameter": "StockCode", "message": NOT_HERE}),
        (f"/invoices/1?Limit={VALUE}", {"parameter": "Limit", "message": "is unknown (did you mean limit?)"}),
        (
            "/customers/1/invoices?nexttoken=a",
            {"parameter": "nexttoken", "message": "is unknown (did you mean next_token?)"},
        ),
        (f"/invoices?InvoiceNo=1&{VALUE}=2", UNKNOWN),
        ("/invoices?InvoiceNo=1&InvoiceNo=2", REPEATED),
        ("/customers/1/invoices?limit=1&limit=2", REPEATED),
        (f"/invoices/{VALUE}", {"parameter": "InvoiceNo", "message": ID_RULE}),
        ("/invoices/" + "1" * 41, {"parameter": "InvoiceNo", "message": ID_RULE}),
        ("/invoices/1%00", {"parameter": "InvoiceNo", "message": ID_RULE}),
        ("/invoices/1?limit=0", {"parameter": "limit", "message": "Input should be greater than or equal to 1"}),
        ("/invoices/1?limit=5001", {"parameter": "limit", "message": "Input should be less than or equal to 5000"}),
        ("/customers", {"parameter": "CustomerID", "message": "is missing"}),
        ("/customers?CustomerID=", {"parameter": "CustomerID", "message": ID_RULE}),
        ("/customers/1?limit=1", {"parameter": "limit", "message": NOT_HERE}),
        ("/customers/%23", {"parameter": "CustomerID", "message": ID_RULE}),
        (
            "/customers/1/invoices?limit=101",
            {"parameter": "limit", "message": "Input should be less than or equal to 100"},
        ),
    ],
)
def test_an_invalid_parameter_is_named(path: str, error: dict[str, str | None], offline_api: Api) -> None:
    """The error has its rule, but not its value."""
    answer = offline_api.get(path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (422, "application/problem+json")
    assert answer.json()["errors"] == [error]
    assert VALUE not in answer.text


def test_the_names_that_may_be_shown_are_those_of_the_routes() -> None:
    """A new parameter is named, too."""
    operations = [each for path in json.loads(openapi_text())["paths"].values() for each in path.values()]
    parameters = [each for operation in operations for each in operation.get("parameters", ())]
    assert {each["name"] for each in parameters if each["in"] == "query"} == set(QUERY_PARAMETERS)


def test_a_limit_that_is_not_a_number_is_named(offline_api: Api) -> None:
    """pydantic's message does not repeat the value."""
    answer = offline_api.get("/invoices/1", limit=VALUE)
    assert [error["parameter"] for error in answer.json()["errors"]] == ["limit"]
    assert VALUE not in answer.text
