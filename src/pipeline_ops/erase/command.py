"""`erase`, and `verify --erased`: removes a customer from every store, or looks for one.

    1. The statement of the erasure is written. Consumers, replay, redrive and refresh then drop the customer's rows.
    2. The command waits until no consumer works with an older list of statements.
    3. The archive is cleaned, then the other objects of the bucket, the tables, and the lake.
    4. A receipt is written, and the statement gets its end, 70 seconds ahead: rows that arrive later are new business.
       Until then every consumer has read the end.

A command that is interrupted leaves a statement without an end. The same command begins again at step 2 and finds what
is left.
"""

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING, Annotated, Final, NoReturn

import typer
from rich.progress import Progress
from rich.table import Table

from aws.bucket import ERASED, Bucket
from aws.clients import dynamodb_client, kinesis_client, s3_client
from aws.erasures import CACHE_SECONDS
from aws.errors import translate_errors
from aws.totals import TotalsStore
from consumers.lake.table import LakeTable
from pipeline_ops.console import plural, print_table, printable, progress_bar
from pipeline_ops.erase.bucket import erase_from_bucket
from pipeline_ops.erase.found import Found, Target, parse_customer_id
from pipeline_ops.erase.lake import LakeErasure
from pipeline_ops.erase.statements import RunningErasure, StatementWriter
from pipeline_ops.erase.tables import erase_from_tables
from pipeline_ops.errors import OpsError
from pipeline_ops.lake import LakeBucketName
from pipeline_ops.options import BucketName, CustomersTable, InvoicesTable, Settings, Stores

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

CONSUMER_SECONDS: Final = 60
"""The time limit of the consumers' functions in template.yaml: no invocation works longer with what it has read."""

SETTLED_SECONDS: Final = CACHE_SECONDS + CONSUMER_SECONDS

_BACKUP_DAYS = 35  # DynamoDB's point-in-time recovery, where a table sets no other number
_FOUND = 1
_MOST_SHOWN = 10

StreamName = Annotated[
    str | None, typer.Option("--stream", envvar="STREAM_NAME", help="The stream, for its retention.")
]
NoLake = Annotated[bool, typer.Option("--no-lake", help="The stack has no lake.")]


@dataclass(frozen=True)
class EraseStores:
    """Every store that may hold a row. `totals` belongs to the lake; both may be missing."""

    stores: Stores
    totals: TotalsStore | None = None


@dataclass(frozen=True)
class Clock:
    """`now` is in seconds since 1970; `sleep` takes seconds."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


def erase_command(  # noqa: PLR0913 - a command has its options as parameters
    *,
    customer: Annotated[str, typer.Option(help="The CustomerID.")],
    keep_lines: Annotated[
        bool, typer.Option("--keep-lines", help="Keep the lines, without the customer, for books that must stay.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be changed; write nothing.")] = False,
    bucket: BucketName = None,
    invoices_table: InvoicesTable = None,
    customers_table: CustomersTable = None,
    lake_bucket: LakeBucketName = None,
    no_lake: NoLake = False,
    stream: StreamName = None,
) -> None:
    """Remove every row of a customer from the archive, the tables, the lake, and all else in the bucket.

    If it is interrupted, run the same command again: it does the rest.
    It prints an instant, some 70 seconds after its end.
    Rows of the customer that arrive before it are dropped; later ones are new business.
    Do not replay or redrive while it runs, and erase one customer at a time.
    Exit code 1: some items of a table cannot be read.
    """
    customer_id = parse_customer_id(customer)
    stores = erase_stores(bucket, invoices_table, customers_table, None if no_lake else lake_name(lake_bucket))
    with progress_bar() as bar:
        if dry_run:
            found = look_for(stores, customer_id, bar)
        else:
            found, covered_before, receipt = erase(stores, customer_id, keeps_lines=keep_lines, clock=Clock(), bar=bar)
    _show(found, "would change" if dry_run else "changed")
    if not dry_run:
        typer.echo(
            f"Rows of the customer that arrive before {_text(covered_before)} are dropped. Later ones are new business."
        )
        typer.echo(f"The receipt is {receipt}.")
        _show_copies_that_stay(stream)
    _show_lake_without_table(stores)
    raise typer.Exit(_FOUND if found.unreadable else 0)


def verify_erased(customer: str, stores: EraseStores, stream: str | None) -> NoReturn:
    """Look for the customer in every store and every version. Exit code 1: something was found, or is unreadable."""
    with progress_bar() as bar:
        found = look_for(stores, parse_customer_id(customer), bar)
    _show(found, "found")
    _show_lake_without_table(stores)
    _show_copies_that_stay(stream)
    raise typer.Exit(0 if found.is_empty and not found.unreadable else _FOUND)


def look_for(stores: EraseStores, customer_id: str, bar: Progress) -> Found:
    """What an erasure would change now."""
    customers = StatementWriter(stores.stores.bucket).customers_of(customer_id)
    return _erase_everywhere(stores, Target(customer_id, customers, dry_run=True), bar)


def erase(
    stores: EraseStores, customer_id: str, *, keeps_lines: bool, clock: Clock, bar: Progress
) -> tuple[Found, int, str]:
    """What was changed, the instant before which rows are covered, and the key of the receipt.

    Raises OpsError while another erasure runs, and Retryable; run it again then.
    """
    writer = StatementWriter(stores.stores.bucket)
    erasure = writer.begin(customer_id, int(clock.now()), keeps_lines=keeps_lines)
    for _ in bar.track(range(SETTLED_SECONDS), description="Waiting for the consumers, seconds"):
        clock.sleep(1)
    found = _erase_everywhere(stores, Target(customer_id, erasure.customers, dry_run=False), bar)
    ended_at = ceil(clock.now()) + SETTLED_SECONDS
    receipt = _write_receipt(stores.stores.bucket, erasure, found, ended_at)
    writer.end(erasure, ended_at)
    return found, ended_at, receipt


def _erase_everywhere(stores: EraseStores, target: Target, bar: Progress) -> Found:
    """The archive first: what is made from it again while this runs must not bring anything back."""
    found = Found()
    erase_from_bucket(stores.stores.bucket, target, found, bar)
    erase_from_tables(stores.stores, target, found, bar)
    if stores.stores.lake and stores.totals:
        LakeErasure(stores.stores.lake, stores.totals, target).run(found, bar)
    return found


def _write_receipt(bucket: Bucket, erasure: RunningErasure, found: Found, ended_at: int) -> str:
    """It names no customer. Whoever ordered the erasure knows it by its times."""
    document = {
        "begun_at": _text(erasure.statement.begun_at),
        "covers_rows_before": _text(ended_at),
        "keeps_lines": erasure.statement.keeps_lines,
        "continues_an_interrupted_run": erasure.continues,
        "changed": found.as_json_object(),
        "unreadable_items": len(found.unreadable),
    }
    key = f"{ERASED}receipts/{_text(ended_at)}.{secrets.token_hex(4)}.json"
    bucket.put(key, json.dumps(document, indent=2).encode(), "application/json")
    return key


def _text(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def lake_name(lake_bucket: str | None) -> str:
    """Raises OpsError where it is not given: an erasure that passes over the lake would look like a whole one."""
    if not lake_bucket:
        raise OpsError("Give --lake-bucket NAME, or set LAKE_BUCKET; give --no-lake if the stack has no lake.")
    return lake_bucket


def erase_stores(
    bucket: str | None, invoices: str | None, customers: str | None, lake_bucket: str | None
) -> EraseStores:
    """`lake_bucket` is None where the stack has no lake."""
    settings = Settings(bucket=bucket, invoices_table=invoices, customers_table=customers)
    s3 = s3_client()
    stores = Stores(
        bucket=Bucket(s3, settings.required_bucket()),
        dynamodb=dynamodb_client(),
        invoices_table=settings.required_invoices_table(),
        customers_table=settings.required_customers_table(),
    )
    if not lake_bucket:
        return EraseStores(stores)
    return EraseStores(replace(stores, lake=LakeTable(s3, lake_bucket)), TotalsStore(s3, lake_bucket))


def _show(found: Found, what: str) -> None:
    if found.unreadable:
        shown = ", ".join(map(printable, found.unreadable[:_MOST_SHOWN]))
        typer.echo(
            f"{plural(len(found.unreadable), 'item')} of the table of slices cannot be read, so nobody knows whether "
            f"the customer is in them: {shown}{', …' if len(found.unreadable) > _MOST_SHOWN else ''}."
        )
    if found.is_empty:
        typer.echo(
            "No other item or object names the customer." if found.unreadable else "No store names the customer."
        )
        return
    table = Table("Store", f"Objects or items {what}", "Rows in them")
    for store, objects in found.objects.items():
        table.add_row(store.value, f"{objects:,}", f"{found.rows[store]:,}")
    print_table(table)


def _show_lake_without_table(stores: EraseStores) -> None:
    """So it is before the first refresh, and also where the name is that of another bucket."""
    if stores.stores.lake and not stores.stores.lake.exists():
        typer.echo(
            "The lake's bucket has no table, so the lake was not searched. Is it the bucket of the stack's outputs?"
        )


def _show_copies_that_stay(stream: str | None) -> None:
    """Nobody can remove these; they end by themselves."""
    now = datetime.now(UTC)
    backups = now + timedelta(days=_BACKUP_DAYS)
    until = f"until {_stream_end(kinesis_client(), stream, now):%Y-%m-%d %H:%M} UTC" if stream else "for its retention"
    typer.echo(
        f"The stream may hold copies {until}, the backups of the tables until {backups:%Y-%m-%d}, and results of "
        "Athena for 7 days. Nobody can remove those; no consumer stores them again."
    )


def _stream_end(kinesis: "KinesisClient", stream: str, now: datetime) -> datetime:
    with translate_errors("Kinesis"):
        answer = kinesis.describe_stream_summary(StreamName=stream)
    return now + timedelta(hours=answer["StreamDescriptionSummary"]["RetentionPeriodHours"])
