"""`invoice-stream send | withdraw | correct | invoice | customer | batch`, and `invoice-stream ops …` for operators."""

from importlib import import_module
from importlib.metadata import version
from typing import Annotated

import typer

from client.cli import app as client_app

_BAD_INPUT = 2

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Send invoice rows, look at what is stored, and operate the pipeline.",
)
app.registered_commands += client_app.registered_commands


@app.command("ops", add_help_option=False, context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
def ops_command(context: typer.Context) -> None:
    """The operator's commands: verify, failed, rejected, replay, withdraw, erase, keys, lake, query. See `ops -h`."""
    try:
        operators = import_module("pipeline_ops.cli")  # boto3 and DuckDB are loaded only here
    except ModuleNotFoundError as error:
        typer.echo(
            f"The operator's commands need {error.name}: pip install '.[client,ops]' in the project's folder", err=True
        )
        raise typer.Exit(_BAD_INPUT) from error
    operators.main(context.args, prog_name="invoice-stream ops")


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer passes the flag
    if wanted:
        typer.echo(f"invoice-stream {version('invoice-stream')}")
        raise typer.Exit


@app.callback()
def options(
    *,
    show_version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Show the version and exit.")
    ] = False,
) -> None:
    """Send invoice rows, look at what is stored, and operate the pipeline."""
