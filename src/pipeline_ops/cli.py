"""Operator commands of the invoice stream. Exit code 0: all is well; 1: something is wrong; 2: the command failed."""

import sys
from collections.abc import Sequence

import typer

from pipeline_ops import api_keys as keys_commands
from pipeline_ops import failed as failed_commands
from pipeline_ops import lake as lake_commands
from pipeline_ops import rejected as rejected_commands
from pipeline_ops import replay as replay_command
from pipeline_ops.errors import OpsError, raise_ops_errors
from pipeline_ops.verify import command as verify_command

_COMMAND_FAILED = 2
_HELP = {"help_option_names": ["-h", "--help"]}


def build_app() -> typer.Typer:
    app = typer.Typer(
        no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False, context_settings=_HELP
    )
    app.add_typer(failed_commands.app(), name="failed")
    app.add_typer(rejected_commands.app(), name="rejected")
    app.add_typer(keys_commands.app(), name="keys")
    app.add_typer(lake_commands.lake_app(), name="lake")
    app.command("query")(lake_commands.query_command)
    app.command("verify")(verify_command.verify_command)
    app.command("replay")(replay_command.replay_command)
    return app


def main(arguments: Sequence[str] | None = None, prog_name: str | None = None) -> None:
    """`arguments` None: those of this process."""
    try:
        with raise_ops_errors():
            build_app()(arguments, prog_name=prog_name)
    except OpsError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(_COMMAND_FAILED)
