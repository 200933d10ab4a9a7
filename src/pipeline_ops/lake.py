"""The lake for operators: its lines as a view of DuckDB, and commands that refresh, rebuild and vacuum it.

A reader sees one version of the table. Its data files never change, so each is fetched once and kept by its name.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import duckdb
import typer
from rich.table import Table

from aws.bucket import Bucket
from aws.clients import s3_client, sqs_client
from aws.totals import TotalsStore
from consumers.lake.refresh import LakeQueue, Refresh, Refreshed
from consumers.lake.table import DUCKDB_TYPES, GRACE, MONTH, LakeTable, MonthFile, Snapshot
from invoices.line import Line, line_id
from pipeline_ops.console import plural, print_table
from pipeline_ops.dead_letters import REDRIVEN_ROWS
from pipeline_ops.errors import OpsError
from pipeline_ops.options import EVERYTHING, BucketName, Settings, required
from pipeline_ops.raw_objects import keys_of_hours, raw_keys

_OBJECTS_PER_COMMIT = 1_000  # a rebuild rewrites every month that they touch
_ROWS_PER_FETCH = 10_000

LakeBucketName = Annotated[str | None, typer.Option("--lake-bucket", envvar="LAKE_BUCKET", help="The lake's bucket.")]
QueueUrl = Annotated[
    str | None, typer.Option("--lake-queue", envvar="LAKE_QUEUE", help="The URL of the queue of new objects.")
]


@contextmanager
def open_lake(table: LakeTable, cache: Path, snapshot: Snapshot | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """This snapshot, or the newest, as the DuckDB view `lines`. Files in `cache` that it does not name are deleted.

    Raises OpsError where nothing is in the lake yet.
    """
    snapshot = snapshot or newest_snapshot(table)
    paths = _fetch(table, snapshot.files, cache)
    with duckdb.connect() as lake:
        lake.execute("SET TimeZone = 'UTC'")  # or a day would depend on where this runs
        lake.execute("SET enable_progress_bar = false")  # standard output holds the result alone
        _create_view(lake, paths)
        yield lake


def lake_lines(table: LakeTable, cache: Path, snapshot: Snapshot) -> Iterator[tuple[bytes, Line]]:
    """Every row of this version with its line id, also of lines that were taken back.

    A row that is there twice comes twice.
    """
    if not snapshot.files:
        return
    with open_lake(table, cache, snapshot) as lake:
        result = lake.execute(f"SELECT {_LINE_COLUMNS} FROM statements")  # noqa: S608 - a constant
        while rows := result.fetchmany(_ROWS_PER_FETCH):
            yield from map(_line_with_id, rows)


def lines_of_customer(files: Sequence[Path], customer_id: str) -> list[tuple[bytes, Line]]:
    """The customer's rows in some data files, also withdrawn ones, with their line ids.

    Each file lies in a folder named for its month.
    """
    with duckdb.connect() as lake:
        lake.execute("SET TimeZone = 'UTC'")
        _create_view(lake, files)
        found = lake.execute(f"SELECT {_LINE_COLUMNS} FROM statements WHERE CustomerID = ?", [customer_id])  # noqa: S608 - a constant
        return [_line_with_id(row) for row in found.fetchall()]


def app() -> typer.Typer:
    commands = typer.Typer(no_args_is_help=True, help="The lake: its state, and what is done to it.")
    commands.command("status")(status_command)
    commands.command("refresh")(refresh_command)
    commands.command("rebuild")(rebuild_command)
    commands.command("vacuum")(vacuum_command)
    return commands


def status_command(*, lake_bucket: LakeBucketName = None, lake_queue: QueueUrl = None) -> None:
    """Its newest version, its months, and how many new objects wait."""
    snapshot = newest_snapshot(LakeTable(s3_client(), required(lake_bucket, "lake-bucket", "LAKE_BUCKET")))
    table = Table("Month", "Files", "Lines", "Bytes")
    for month, files in sorted(snapshot.months.items()):
        rows, size = sum(file.rows for file in files), sum(file.size for file in files)
        table.add_row(month, str(len(files)), f"{rows:,}", f"{size:,}")
    print_table(table)
    lines = sum(file.rows for file in snapshot.files)
    typer.echo(f"Version {snapshot.version} of {snapshot.committed_at:%Y-%m-%d %H:%M} UTC, {plural(lines, 'line')}")
    if lake_queue:
        waiting = LakeQueue(sqs_client(), lake_queue).waiting()
        typer.echo(f"About {waiting:,} messages wait in the queue")


def refresh_command(
    *, bucket: BucketName = None, lake_bucket: LakeBucketName = None, lake_queue: QueueUrl = None
) -> None:
    """Bring what waits in the queue into the lake now; the schedule would do it later."""
    refresh = _refresh(bucket, lake_bucket)
    queue = LakeQueue(sqs_client(), required(lake_queue, "lake-queue", "LAKE_QUEUE"))
    while done := refresh.run(queue):
        _show_refreshed(done)
    typer.echo("The queue is empty.")


def rebuild_command(*, bucket: BucketName = None, lake_bucket: LakeBucketName = None) -> None:
    """Bring every object of the archive into the lake. What is there already does not change."""
    refresh = _refresh(bucket, lake_bucket)
    archive = Bucket(s3_client(), Settings(bucket=bucket).required_bucket())
    keys = iter([*raw_keys(archive, EVERYTHING), *keys_of_hours(archive, REDRIVEN_ROWS, EVERYTHING)])
    while chunk := list(islice(keys, _OBJECTS_PER_COMMIT)):
        _show_refreshed(refresh.add(chunk))


def vacuum_command(
    *,
    hours: Annotated[int, typer.Option(min=24, help="Keep what was needed in these last hours.")] = int(
        GRACE / timedelta(hours=1)
    ),
    lake_bucket: LakeBucketName = None,
) -> None:
    """Delete files that no recent version needs. A refresh must not run for longer than these hours."""
    s3, name = s3_client(), required(lake_bucket, "lake-bucket", "LAKE_BUCKET")
    grace = timedelta(hours=hours)
    files, totals = LakeTable(s3, name).vacuum(grace), TotalsStore(s3, name).vacuum(grace)
    typer.echo(f"Deleted {files:,} data files and {totals:,} objects with totals.")


def newest_snapshot(table: LakeTable) -> Snapshot:
    """A query must not create a table, so that a wrong name of a bucket is an error."""
    if not table.exists() or not (snapshot := table.snapshot()).files:
        raise OpsError("There are no lines in the lake yet; run invoice-stream ops lake refresh.")
    return snapshot


def _fetch(table: LakeTable, files: Iterable[MonthFile], cache: Path) -> list[Path]:
    """Their paths in `cache`. A file gets its name when it is complete, so a query that is stopped leaves none half."""
    paths = []
    for file in files:
        path = cache / file.path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            new = path.with_suffix(f".{os.getpid()}.new")
            new.write_bytes(table.read(file))
            new.replace(path)
        paths.append(path)
    for path in set(cache.glob(f"{MONTH}=*/*.parquet")) - set(paths):
        path.unlink(missing_ok=True)
    return paths


def _create_view(lake: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> None:
    """`statements` are all rows, and `lines` those that were not taken back.

    InvoiceDate has no zone, and `AT TIME ZONE`, which asks a calendar for each row, is not used: questions about days
    are then several times as fast. The month is in the folder's name. A column that was added after a data file was
    written is null in its rows.
    """
    listed = ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths)
    options = f"union_by_name = true, hive_partitioning = true, hive_types = {{{MONTH}: VARCHAR}}"
    rows = f"read_parquet([{listed}], {options})"
    there = {name for name, *_ in lake.execute(f"DESCRIBE SELECT * FROM {rows}").fetchall()}  # noqa: S608 - names of our files
    missing = "".join(f", NULL::{kind} AS {name}" for name, kind in DUCKDB_TYPES.items() if name not in there)
    date = "make_timestamp(epoch_us(InvoiceDate)) AS InvoiceDate"
    lake.execute(f"CREATE VIEW statements AS SELECT * REPLACE ({date}){missing} FROM {rows}")  # noqa: S608 - same
    lake.execute("CREATE VIEW lines AS SELECT * EXCLUDE (Withdrawn) FROM statements WHERE Withdrawn IS NULL")


_LINE_COLUMNS = """
    InvoiceNo, StockCode, Description, Quantity, InvoiceDate, IsUtc, UnitPrice, CustomerID, Country, Occurrence, LineId,
    StatedAt, Withdrawn
"""


def _line_with_id(row: tuple[Any, ...]) -> tuple[bytes, Line]:
    """The line in its normal form, which was validated when it was sent."""
    invoice, stock, description, quantity, date, is_utc, price, customer, country, occurrence, stored_id, *stated = row
    as_of, withdrawn = stated
    line = Line.model_construct(
        InvoiceNo=invoice,
        StockCode=stock,
        Description=description,
        Quantity=quantity,
        InvoiceDate=date.isoformat() + ("Z" if is_utc else ""),
        UnitPrice=price.normalize() or Decimal(0),
        CustomerID=customer,
        Country=country,
        Occurrence=occurrence,
        AsOf=as_of and as_of.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z",
        Withdrawn=bool(withdrawn),
    )
    return bytes.fromhex(stored_id or line_id(line, "", 0)), line


def _refresh(bucket: str | None, lake_bucket: str | None) -> Refresh:
    s3, name = s3_client(), required(lake_bucket, "lake-bucket", "LAKE_BUCKET")
    archive = Settings(bucket=bucket).required_bucket()
    return Refresh(s3, archive, LakeTable(s3, name), TotalsStore(s3, name))


def _show_refreshed(done: Refreshed) -> None:
    read = f"Read {plural(done.objects, 'object')} with {plural(done.rows, 'row')}"
    if done.unreadable:
        read += f" ({done.unreadable:,} objects and rows cannot be read)"
    what = "nothing was new" if done.version is None else f"version {done.version}, months {', '.join(done.months)}"
    typer.echo(f"{read}: {what}.")
