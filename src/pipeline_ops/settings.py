"""Where things are kept: what the options say, else the functions' own environment variables."""

from typing import Annotated

import typer
from pydantic import BaseModel, ConfigDict

from pipeline_ops.errors import OpsError

Bucket = Annotated[str | None, typer.Option(envvar="RAW_BUCKET", help="The bucket with raw/ and failed/.")]
InvoicesTable = Annotated[str | None, typer.Option(envvar="INVOICES_TABLE", help="The table of slices.")]
CustomersTable = Annotated[str | None, typer.Option(envvar="CUSTOMERS_TABLE", help="The table of pointers.")]


class Settings(BaseModel):
    """Names are checked when they are asked for: `failed list` needs the bucket alone."""

    model_config = ConfigDict(frozen=True)

    bucket: str | None = None
    invoices_table: str | None = None
    customers_table: str | None = None

    def named_bucket(self) -> str:
        return _given(self.bucket, "bucket", "RAW_BUCKET")

    def named_invoices_table(self) -> str:
        return _given(self.invoices_table, "invoices-table", "INVOICES_TABLE")

    def named_customers_table(self) -> str:
        return _given(self.customers_table, "customers-table", "CUSTOMERS_TABLE")


def _given(value: str | None, option: str, variable: str) -> str:
    if not value:
        raise OpsError(f"Give --{option} NAME, or set {variable}.")
    return value
