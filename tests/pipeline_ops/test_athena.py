"""A query in Athena: what is asked there, and how its answer is read. The answers are the ones AWS documents."""

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, cast

import pytest
import sqlglot
from botocore.stub import Stubber

from aws.clients import athena_client
from pipeline_ops.errors import OpsError
from pipeline_ops.query import Athena, named_questions

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient

HELD = 'WITH lines AS (SELECT * FROM "lake".lines WHERE withdrawn IS NULL)'
COLUMNS = {"month": "varchar", "lines": "bigint", "revenue": "decimal", "share": "double", "late": "boolean"}


@pytest.fixture
def stubber(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "us-east-1")
    with Stubber(athena_client()) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def ask(stubber: Stubber, sql: str, slept: list[float] | None = None) -> object:
    sleep = [] if slept is None else slept
    return Athena(cast("AthenaClient", stubber.client), "group", "lake", sleep.append).ask(sql)


def expect_query(stubber: Stubber, sql: str, *states: str) -> None:
    asked = {"QueryString": sql, "WorkGroup": "group", "QueryExecutionContext": {"Database": "lake"}}
    stubber.add_response("start_query_execution", {"QueryExecutionId": "q"}, asked)
    for state in states:
        status = {"State": state, "StateChangeReason": "a reason"}
        stubber.add_response("get_query_execution", {"QueryExecution": {"Status": status}}, {"QueryExecutionId": "q"})


def expect_page(
    stubber: Stubber, *rows: list[str | None], following: str | None = None, asked_for: str | None = None
) -> None:
    data = [{"Data": [{} if text is None else {"VarCharValue": text} for text in row]} for row in rows]
    metadata = {"ColumnInfo": [{"Name": name, "Type": kind} for name, kind in COLUMNS.items()]}
    page: dict[str, object] = {"ResultSet": {"Rows": data, "ResultSetMetadata": metadata}}
    asked = {"QueryExecutionId": "q", **({"NextToken": asked_for} if asked_for else {})}
    stubber.add_response("get_query_results", {**page, **({"NextToken": following} if following else {})}, asked)


def test_the_result_has_the_types_of_its_columns(stubber: Stubber) -> None:
    """Money is exact, and what is missing is None. The first row that Athena answers is the names."""
    expect_query(stubber, f"{HELD} SELECT 1", "QUEUED", "RUNNING", "SUCCEEDED")
    expect_page(stubber, [*COLUMNS], ["2010-12", "2", "30.600000", "0.5", "true"], following="more")
    expect_page(stubber, [None, None, None, None, "false"], asked_for="more")
    slept: list[float] = []
    rows = [("2010-12", 2, Decimal("30.600000"), 0.5, True), (None, None, None, None, False)]
    assert ask(stubber, "SELECT 1", slept) == ([*COLUMNS], rows)
    assert len(slept) == 2


def test_a_query_with_clauses_of_its_own_asks_the_lines_that_hold(stubber: Stubber) -> None:
    expect_query(stubber, HELD + ", a AS (SELECT 1) SELECT * FROM a", "SUCCEEDED")  # noqa: S608 - a stub
    expect_page(stubber)
    ask(stubber, "\nwith a AS (SELECT 1) SELECT * FROM a")


def test_a_row_that_reads_like_the_names_is_a_row(stubber: Stubber) -> None:
    expect_query(stubber, f"{HELD} SELECT 'month'", "SUCCEEDED")
    data = [{"Data": [{"VarCharValue": "month"}]}] * 2
    metadata = {"ColumnInfo": [{"Name": "month", "Type": "varchar"}]}
    page = {"ResultSet": {"Rows": data, "ResultSetMetadata": metadata}}
    stubber.add_response("get_query_results", page, {"QueryExecutionId": "q"})
    assert ask(stubber, "SELECT 'month'") == (["month"], [("month",)])


@pytest.mark.parametrize(
    ("sql", "asked"),
    [
        ("-- mine\nWITH a AS (SELECT 1) SELECT * FROM a", HELD + ", a AS (SELECT 1) SELECT * FROM a"),  # noqa: S608 - a stub
        ("WITH RECURSIVE a AS (x) SELECT 1", f"{HELD.replace('WITH', 'WITH RECURSIVE')}, a AS (x) SELECT 1"),
    ],
)
def test_a_comment_and_recursion_stand_before_the_clauses(stubber: Stubber, sql: str, asked: str) -> None:
    expect_query(stubber, asked, "SUCCEEDED")
    expect_page(stubber)
    ask(stubber, sql)


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED"])
def test_a_query_that_fails_says_why(stubber: Stubber, state: str) -> None:
    """Such as one that would read more than the workgroup allows."""
    expect_query(stubber, f"{HELD} SELECT 1", state)
    with pytest.raises(OpsError, match=f"Athena's query {state.lower()}: a reason"):
        ask(stubber, "SELECT 1")


@pytest.mark.parametrize("question", named_questions())
def test_a_named_question_means_the_same_in_both_engines(question: str) -> None:
    """It is read to the same tree by the rules of both, and written as Athena's SQL it does not change."""
    sql = named_questions()[question][1]
    tree = sqlglot.parse_one(sql, read="athena")
    assert tree == sqlglot.parse_one(sql, read="duckdb")
    assert sqlglot.parse_one(tree.sql(dialect="athena"), read="athena") == tree
