"""Operator commands of the invoice stream. Exit code 0: all is well; 1: something is wrong; 2: the command failed."""

import sys
import traceback
from collections.abc import Sequence
from importlib import import_module

import typer

from pipeline_ops.errors import OpsError, raise_ops_errors

_COMMAND_FAILED = 2
_INTERRUPTED = 130
_HELP = {"help_option_names": ["-h", "--help"]}

_GROUP = "app"
_COMMANDS = {
    "failed": ("pipeline_ops.failed", _GROUP),
    "rejected": ("pipeline_ops.rejected", _GROUP),
    "keys": ("pipeline_ops.api_keys", _GROUP),
    "lake": ("pipeline_ops.lake", _GROUP),
    "query": ("pipeline_ops.query", "query_command"),
    "verify": ("pipeline_ops.verify.command", "verify_command"),
    "erase": ("pipeline_ops.erase.command", "erase_command"),
    "replay": ("pipeline_ops.replay", "replay_command"),
    "withdraw": ("pipeline_ops.withdraw", "withdraw_command"),
}
"""The module of each command and the function in it. `app` makes a group of commands."""


def build_app(only: str | None = None) -> typer.Typer:
    """Every command, or the one named `only`: a command's module loads what it needs, and DuckDB takes 0.2 s."""
    app = typer.Typer(
        no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False, context_settings=_HELP
    )
    app.callback(help=__doc__)(_no_options)  # without it an app with one command would not ask for its name
    for name in [only] if only in _COMMANDS else _COMMANDS:
        module, function = _COMMANDS[name]
        made = getattr(import_module(module), function)
        if function == _GROUP:
            app.add_typer(made(), name=name)
        else:
            app.command(name)(made)
    return app


def main(arguments: Sequence[str] | None = None, prog_name: str | None = None) -> None:
    """`arguments` None: those of this process."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        with raise_ops_errors():
            build_app(words[0] if words else None)(words, prog_name=prog_name)
    except OpsError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(_COMMAND_FAILED)
    except KeyboardInterrupt:  # while a command's modules are imported; typer handles it afterwards
        sys.exit(_INTERRUPTED)
    except Exception:  # noqa: BLE001 - a bug of ours: Python's own exit code, 1, would say that something is missing
        traceback.print_exc()
        sys.exit(_COMMAND_FAILED)


def _no_options() -> None: ...
