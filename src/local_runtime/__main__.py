"""The commands: `python -m local_runtime run | serve | sample | invoke`."""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # during the imports Ctrl-C ends the process without a traceback

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.markup import escape

from local_runtime.errors import ProcessEnded, RunError
from local_runtime.handlers import invoke, read_event
from local_runtime.run import RunOptions, run, serve
from local_runtime.sample import DEFAULT_ROWS, write_sample

_FAILED = 1
_INTERRUPTED = 130

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


TemplatePath = Annotated[Path, typer.Option(help="The template that defines the resources.")]
Folder = Annotated[Path, typer.Option(help="The folder that gets every file of the run.")]


@app.command(name="run")
def run_command(
    *,
    csv: Annotated[
        Path | None, typer.Option(help="The CSV or .xlsx file to send.", show_default="a generated sample")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="End after the report, with 1 if anything differs.")] = False,
    dates: Annotated[
        Literal["mdy", "dmy", "iso"] | None,
        typer.Option(
            help="The order of dates with slashes.", show_default="mdy; the file is checked before it is sent"
        ),
    ] = None,
    template: TemplatePath = Path("template.yaml"),
    folder: Folder = Path(".local"),
) -> None:
    """Start the whole pipeline on this machine, send a CSV through it, report, and keep serving."""
    _exit_with(lambda console: run(RunOptions(csv, once, template, folder, dates), console))


@app.command(name="serve")
def serve_command(
    *,
    template: TemplatePath = Path("template.yaml"),
    folder: Folder = Path(".local"),
) -> None:
    """Start the whole pipeline on this machine, without an upload. Its stores stay in the folder `data`."""
    _exit_with(lambda console: serve(template, folder, console))


def _exit_with(command: Callable[[Console], int]) -> None:
    console = Console()
    try:
        code = command(console)
    except RunError as error:
        _print_error(error)
        code = _FAILED
    except KeyboardInterrupt:
        console.print("interrupted")
        code = _INTERRUPTED
    raise typer.Exit(code)


@app.command()
def sample(
    out: Annotated[Path, typer.Option(help="The CSV to write.")],
    rows: Annotated[int, typer.Option(min=0, help="Rows, without the header.")] = DEFAULT_ROWS,
) -> None:
    """Write a CSV like the Online Retail data set. The same number of rows always gives the same file."""
    try:
        write_sample(out, rows)
    except RunError as error:
        _print_error(error)
        raise typer.Exit(_FAILED) from error


@app.command(name="invoke")
def invoke_command(
    handler: Annotated[str, typer.Argument(help="The Lambda handler, as package.module.function.")],
    event: Annotated[Path, typer.Argument(help="A JSON file; tests/events has examples.", exists=True, dir_okay=False)],
) -> None:
    """Call a handler once with a recorded event and print its response. Its settings are environment variables."""
    typer.echo(json.dumps(invoke(handler, read_event(event, os.environ)), indent=2))


def _print_error(error: RunError) -> None:
    console = Console(stderr=True)
    if isinstance(error, ProcessEnded) and error.log_tail:
        console.print(escape(error.log_tail), highlight=False, soft_wrap=True)
    console.print(f"[red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
    if isinstance(error, ProcessEnded) and error.loss:
        console.print(escape(error.loss), highlight=False, soft_wrap=True)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    app()
