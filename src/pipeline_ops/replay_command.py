"""`replay`."""

from pathlib import Path
from typing import Annotated

import typer

from aws.clients import dynamodb_client, s3_client
from consumers.index import Index
from pipeline_ops.pace import Pace
from pipeline_ops.progress import progress_bar, watched_on
from pipeline_ops.replay import Replay
from pipeline_ops.replay_progress import ProgressFile, Target
from pipeline_ops.settings import Bucket, CustomersTable, InvoicesTable, Settings
from pipeline_ops.time_range import From, To, hour_range


def replay_command(  # noqa: PLR0913 - a command has its options as parameters
    *,
    start: From = None,
    end: To = None,
    rate: Annotated[float | None, typer.Option(min=0.001, help="At most so many objects a second.")] = None,
    progress: Annotated[Path, typer.Option(help="Remembers how far it came; removed at the end.")] = Path(
        "replay-progress.json"
    ),
    bucket: Bucket = None,
    invoices_table: InvoicesTable = None,
    customers_table: CustomersTable = None,
) -> None:
    """Build the tables from the archive. Batches whose names have no time are under 1970-01-01."""
    settings = Settings(bucket=bucket, invoices_table=invoices_table, customers_table=customers_table)
    target = Target(
        bucket=settings.named_bucket(),
        invoices_table=settings.named_invoices_table(),
        customers_table=settings.named_customers_table(),
        start=start,
        end=end,
    )
    index = Index(dynamodb_client(), target.invoices_table, target.customers_table)
    with progress_bar() as bar:
        replayed = Replay(s3_client(), target.bucket, index).run(
            hour_range(start, end), ProgressFile(progress, target), Pace(rate), watched_on(bar)
        )
    typer.echo(
        f"{replayed.objects:,} objects and {replayed.redriven:,} redriven rows replayed; "
        f"{replayed.refused_rows:,} rows and {replayed.unreadable:,} objects were refused as before."
    )
