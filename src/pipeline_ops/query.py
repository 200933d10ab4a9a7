"""`query`: ask the lake with SQL, in DuckDB on this machine or in Athena, and show or write the result.

In Athena the query runs in the stack's workgroup, and its result is fetched when it is complete.
"""

import csv
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from io import BytesIO
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

import duckdb
import typer
import xlsxwriter
from rich.markup import escape
from rich.table import Table

from aws.clients import athena_client, s3_client, sqs_client
from consumers.lake.refresh import LakeQueue
from consumers.lake.table import LakeTable, Snapshot
from pipeline_ops.console import plural, print_table
from pipeline_ops.errors import OpsError
from pipeline_ops.lake import LakeBucketName, QueueUrl, newest_snapshot, open_lake
from pipeline_ops.options import required

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient

QUESTIONS: Final = Path(__file__).with_name("questions.sql")

SECONDS_BETWEEN_LOOKS: Final = 0.5
"""At a query that Athena has not answered yet."""

_OLD_DAYS = 2
_MOST_WORKBOOK_ROWS = 2**20
_DEFAULT_CACHE = Path("~/.cache/invoice-stream/lake")

Writer: TypeAlias = Callable[[Sequence[str], Sequence[tuple[Any, ...]]], None]
"""Shows or writes a result: the names of its columns, and its rows."""


def query_command(  # noqa: PLR0913 - a command has its options as parameters
    *,
    sql: Annotated[str | None, typer.Argument(help="SQL over the table `lines`.")] = None,
    question: Annotated[
        str | None, typer.Option(help="A named question; `list` shows them.", show_default="SQL")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON array of objects; money is text.")] = False,
    parquet: Annotated[
        Path | None, typer.Option(help="Write the result to this Parquet file.", show_default="print it")
    ] = None,
    xlsx: Annotated[
        Path | None, typer.Option(help="Write the result to this workbook.", show_default="print it")
    ] = None,
    athena: Annotated[
        bool, typer.Option("--athena", help="Ask in Athena. It bills the bytes that the query reads.")
    ] = False,
    workgroup: Annotated[str | None, typer.Option(envvar="LAKE_WORKGROUP", help="Athena's workgroup.")] = None,
    database: Annotated[str | None, typer.Option(envvar="LAKE_DATABASE", help="Glue's database, for Athena.")] = None,
    cache: Annotated[Path, typer.Option(help="Where data files are kept between queries.")] = _DEFAULT_CACHE,
    lake_bucket: LakeBucketName = None,
    lake_queue: QueueUrl = None,
) -> None:
    """Ask the lake in DuckDB on this machine, or in Athena. Every query reads one version of the table.

    A note says if new objects wait in the queue: the answer lacks their rows.
    """
    if question == "list":
        _show_questions()
        return
    text = _query_text(sql, question)
    write = _writer(as_csv=as_csv, as_json=as_json, xlsx=xlsx, parquet=parquet)
    if athena:
        if parquet:
            raise OpsError("--parquet is written by DuckDB: leave out --athena.")
        names = required(workgroup, "workgroup", "LAKE_WORKGROUP"), required(database, "database", "LAKE_DATABASE")
        write(*Athena(athena_client(), *names).ask(text))
        return
    table = LakeTable(s3_client(), required(lake_bucket, "lake-bucket", "LAKE_BUCKET"))
    snapshot = newest_snapshot(table)
    with _sql_errors(), open_lake(table, cache.expanduser(), snapshot) as lake:
        if lake_queue:
            _warn_of_waiting_objects(lake_queue)
        if parquet:
            lake.sql(text).write_parquet(str(parquet))
        else:
            result = lake.execute(text)
            write([column[0] for column in result.description or ()], result.fetchall())
    typer.echo(version_note(snapshot, datetime.now(UTC)), err=True)


def _warn_of_waiting_objects(queue_url: str) -> None:
    if waiting := LakeQueue(sqs_client(), queue_url).waiting():
        text = f"About {plural(waiting, 'message')} about new objects {'waits' if waiting == 1 else 'wait'}"
        typer.echo(f"{text}, and the answer lacks their rows: `lake refresh` brings them in.", err=True)


def named_questions() -> Mapping[str, tuple[str, str]]:
    """What each question of the file asks, and its SQL."""
    found = re.findall(r"^-- ([a-z-]+): (.+)\n([^;]+);", QUESTIONS.read_text(), re.MULTILINE)
    return {name: (what, sql) for name, what, sql in found}


def _show_questions() -> None:
    table = Table("Question", "What it answers")
    for name, (what, _) in named_questions().items():
        table.add_row(name, what)
    print_table(table)


def _query_text(sql: str | None, question: str | None) -> str:
    if bool(sql) == bool(question):
        raise OpsError("Give SQL, or --question NAME; --question list shows the names.")
    if sql:
        return sql
    found = named_questions().get(question or "")
    if found is None:
        raise OpsError(f"There is no question {question}; --question list shows the names.")
    return found[1]


@contextmanager
def _sql_errors() -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        raise OpsError(str(error).partition("\n")[0]) from error


def version_note(snapshot: Snapshot, now: datetime) -> str:
    """A version gets old where nothing new arrives, and also where the refresh fails: say which rows it has."""
    note = f"Version {snapshot.version} of {snapshot.committed_at:%Y-%m-%d %H:%M} UTC."
    days = (now - snapshot.committed_at).days
    return f"{note} It is {days} days old: no row that arrived since then is in it." if days >= _OLD_DAYS else note


def _writer(*, as_csv: bool, as_json: bool, xlsx: Path | None, parquet: Path | None) -> Writer:
    if sum(map(bool, (as_csv, as_json, xlsx, parquet))) > 1:
        raise OpsError("Give one of --csv, --json, --xlsx and --parquet.")
    if xlsx:
        return partial(write_workbook, xlsx)
    return _print_csv if as_csv else _print_json if as_json else _print_table


def write_workbook(path: Path, names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Numbers become numbers of 15 digits, which is all that a workbook has; text never becomes a formula.

    It is made in memory: xlsxwriter would hide why a file cannot be written, and leave a half one.
    """
    if len(rows) >= _MOST_WORKBOOK_ROWS:
        raise OpsError(f"The result has {len(rows):,} rows, and a sheet has {_MOST_WORKBOOK_ROWS:,} with the names.")
    plain = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "remove_timezone": True}
    made = BytesIO()
    with xlsxwriter.Workbook(made, {**plain, "default_date_format": "yyyy-mm-dd hh:mm:ss"}) as workbook:
        sheet = workbook.add_worksheet("Result")
        sheet.freeze_panes(1, 0)
        sheet.write_row(0, 0, names, workbook.add_format({"bold": True}))
        day = workbook.add_format({"num_format": "yyyy-mm-dd"})
        for place, row in enumerate(rows, 1):
            for column, value in enumerate(row):
                is_day = isinstance(value, date) and not isinstance(value, datetime)
                sheet.write(place, column, _cell(value), day if is_day else None)
    path.write_bytes(made.getvalue())


def _cell(value: object) -> object:
    """A workbook has no lists, no intervals, and no number that is not finite."""
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    return value if isinstance(value, str | int | float | Decimal | date | None) else str(value)


def _print_csv(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    writer = csv.writer(sys.stdout)
    writer.writerow(names)
    writer.writerows(rows)


def _print_json(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Raises OpsError where two columns have one name, because an object would keep the last of them alone."""
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise OpsError(f"Two columns are named {repeated[0]}: give one of them another name with AS.")
    objects = [dict(zip(names, map(_json_value, row), strict=True)) for row in rows]
    typer.echo(json.dumps(objects, default=str, ensure_ascii=False, allow_nan=False))


def _json_value(value: object) -> object:
    """JSON has no infinity and nothing that is not a number, also within a list or a map; its keys are text."""
    if isinstance(value, dict):
        return {str(key): _json_value(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_json_value(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def _print_table(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    table = Table()
    for place, name in enumerate(names):
        is_number = any(isinstance(row[place], int | float | Decimal) for row in rows)
        table.add_column(escape(name), justify="right" if is_number else "left")
    for row in rows:
        table.add_row(*("" if value is None else escape(str(value)) for value in row))
    print_table(table)


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
