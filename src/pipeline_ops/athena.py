"""Ask the lake in Athena: the query runs in the stack's workgroup, and its result is fetched when it is complete."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from pipeline_ops.errors import OpsError

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient

SECONDS_BETWEEN_LOOKS: Final = 0.5

_OVER = ("SUCCEEDED", "FAILED", "CANCELLED")
_WITH = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*with(\s+recursive)?\s", re.IGNORECASE | re.DOTALL)
_VALUES: Mapping[str, Callable[[str], object]] = {
    **dict.fromkeys(("tinyint", "smallint", "integer", "bigint"), int),
    **dict.fromkeys(("float", "double"), float),
    "decimal": Decimal,
    "boolean": "true".__eq__,
}


@dataclass(frozen=True, slots=True)
class Athena:
    """`database` is Glue's. What a query costs is limited by the workgroup."""

    client: "AthenaClient"
    workgroup: str
    database: str
    sleep: Callable[[float], None] = time.sleep

    def ask(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """The names of the columns, and the rows. Dates and times are text. Raises OpsError with Athena's reason."""
        started = self.client.start_query_execution(
            QueryString=_of_held_lines(sql, self.database),
            WorkGroup=self.workgroup,
            QueryExecutionContext={"Database": self.database},
        )
        query = started["QueryExecutionId"]
        self._wait(query)
        names: list[str] = []  # they are the first row of the first page, too
        rows: list[tuple[Any, ...]] = []
        for number, page in enumerate(self.client.get_paginator("get_query_results").paginate(QueryExecutionId=query)):
            columns = page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
            names = [column["Name"] for column in columns]
            read = [_VALUES.get(column["Type"], str) for column in columns]
            rows += _rows(page["ResultSet"]["Rows"][number == 0 :], read)
        return names, rows

    def _wait(self, query: str) -> None:
        while True:
            status = self.client.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
            if status["State"] in _OVER:
                break
            self.sleep(SECONDS_BETWEEN_LOOKS)
        if status["State"] != "SUCCEEDED":
            raise OpsError(f"Athena's query {status['State'].lower()}: {status.get('StateChangeReason', 'no reason')}")


def _of_held_lines(sql: str, database: str) -> str:
    """The table keeps rows of lines that were taken back; in the query `lines` is without them, as in DuckDB."""
    held = f'lines AS (SELECT * FROM "{database}".lines WHERE withdrawn IS NULL)'  # noqa: S608 - the operator's own
    found = _WITH.match(sql)
    return f"WITH{found[1] or ''} {held}, {sql[found.end() :]}" if found else f"WITH {held} {sql}"


def _rows(found: Any, read: list[Callable[[str], object]]) -> Iterator[tuple[object, ...]]:
    """A value that is null is missing."""
    for row in found:
        texts = [value.get("VarCharValue") for value in row["Data"]]
        yield tuple(None if text is None else parse(text) for parse, text in zip(read, texts, strict=True))
