"""The command line: every command ends with 0 if all is well, 1 if not, 2 if it could not be done."""

import sys
from collections.abc import Callable

import typer

from pipeline_ops import api_keys as keys_commands
from pipeline_ops import failed as failed_commands
from pipeline_ops import replay as replay_command
from pipeline_ops.errors import OpsError, as_one_sentence
from pipeline_ops.verify import command as verify_command

_CANNOT = 2


def build_app() -> typer.Typer:
    app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)
    app.add_typer(failed_commands.app(), name="failed")
    app.add_typer(keys_commands.app(), name="keys")
    app.command("verify")(verify_command.verify_command)
    app.command("replay")(replay_command.replay_command)
    return app


def main(app: Callable[[], object] | None = None) -> None:
    try:
        with as_one_sentence():
            (app or build_app())()
    except OpsError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(_CANNOT)
