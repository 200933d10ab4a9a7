"""`query`: ask the lake with SQL, in DuckDB on this machine."""

import csv
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final

import duckdb
import typer
from rich.markup import escape
from rich.table import Table

from aws.clients import s3_client, sqs_client
from consumers.lake.refresh import LakeQueue
from consumers.lake.table import LakeTable
from pipeline_ops.console import plural, print_table
from pipeline_ops.errors import OpsError
from pipeline_ops.lake import LakeBucketName, QueueUrl, open_lake
from pipeline_ops.options import required

QUESTIONS: Final = Path(__file__).with_name("questions.sql")

_DEFAULT_CACHE = Path("~/.cache/invoice-stream/lake")


def query_command(  # noqa: PLR0913 - a command has its options as parameters
    *,
    sql: Annotated[str | None, typer.Argument(help="SQL over the table `lines`.")] = None,
    question: Annotated[str | None, typer.Option(help="A named question; `list` shows them. [default: SQL]")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON array of objects; money is text.")] = False,
    parquet: Annotated[
        Path | None, typer.Option(help="Write the result to this Parquet file. [default: print it]")
    ] = None,
    cache: Annotated[Path, typer.Option(help="Where data files are kept between queries.")] = _DEFAULT_CACHE,
    lake_bucket: LakeBucketName = None,
    lake_queue: QueueUrl = None,
) -> None:
    """Ask the lake in DuckDB on this machine. Every query reads one version of the table.

    A note says if new objects wait in the queue: the answer lacks their rows.
    """
    if question == "list":
        _show_questions()
        return
    text = _query_text(sql, question)
    table = LakeTable(s3_client(), required(lake_bucket, "lake-bucket", "LAKE_BUCKET"))
    with open_lake(table, cache.expanduser()) as lake, _sql_errors():
        if lake_queue:
            _warn_of_waiting_objects(lake_queue)
        if parquet:
            lake.sql(text).write_parquet(str(parquet))
            return
        result = lake.execute(text)
        names = [column[0] for column in result.description or ()]
        _printer(as_csv=as_csv, as_json=as_json)(names, result.fetchall())


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


def _printer(*, as_csv: bool, as_json: bool) -> Callable[[Sequence[str], Sequence[tuple[Any, ...]]], None]:
    if as_csv and as_json:
        raise OpsError("Give --csv or --json, not both.")
    return _print_csv if as_csv else _print_json if as_json else _print_table


def _print_csv(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    writer = csv.writer(sys.stdout)
    writer.writerow(names)
    writer.writerows(rows)


def _print_json(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    objects = [dict(zip(names, row, strict=True)) for row in rows]
    typer.echo(json.dumps(objects, default=str, ensure_ascii=False))


def _print_table(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    table = Table()
    for place, name in enumerate(names):
        is_number = any(isinstance(row[place], int | float | Decimal) for row in rows)
        table.add_column(escape(name), justify="right" if is_number else "left")
    for row in rows:
        table.add_row(*("" if value is None else escape(str(value)) for value in row))
    print_table(table)
