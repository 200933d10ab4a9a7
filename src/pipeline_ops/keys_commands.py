"""`keys create`, `keys list`, `keys revoke`."""

import secrets
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from aws.clients import dynamodb_client
from pipeline_api.keys.gate import KEPT_SECONDS
from pipeline_api.keys.stored_key import Scope
from pipeline_ops.errors import OpsError
from pipeline_ops.key_ring import KeyRing
from pipeline_ops.screen import print_table

KeysTable = Annotated[str | None, typer.Option("--keys-table", envvar="KEYS_TABLE", help="The table of API keys.")]


def app() -> typer.Typer:
    commands = typer.Typer(no_args_is_help=True, help="API keys: who may send rows and ask for them.")
    commands.command("create")(create_command)
    commands.command("list")(list_command)
    commands.command("revoke")(revoke_command)
    return commands


def create_command(
    name: Annotated[str, typer.Argument(help="Whose key it is; for people, it need not be unique.")],
    scope: Annotated[list[Scope], typer.Option(help="What it is for; give the option twice for both.")],
    keys_table: KeysTable = None,
) -> None:
    """Make a key and print it: this once and never again. To rotate one, make the new, hand it out, revoke the old."""
    typer.echo(_ring(keys_table).create(name, scope))


def list_command(keys_table: KeysTable = None) -> None:
    """Every key, but not its secret, which is kept nowhere."""
    table = Table("Id", "Name", "Scopes", "Made (UTC)", "Revoked (UTC)")
    for key in _ring(keys_table).all():
        table.add_row(
            key.key_id, escape(key.name), ", ".join(sorted(key.scopes)), key.created_at, key.revoked_at or "no"
        )
    if table.row_count:
        print_table(table)
    else:
        typer.echo("There is no key.")


def revoke_command(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="What stands before the key's dot.")],
    keys_table: KeysTable = None,
) -> None:
    """Revoke a key, for good."""
    key_id = key_id.partition(".")[0]
    _ring(keys_table).revoke(key_id)
    typer.echo(f"{key_id} is revoked; within {KEPT_SECONDS:.0f} seconds nobody takes it any more.")


def _ring(table: str | None) -> KeyRing:
    if not table:
        raise OpsError("Give --keys-table NAME, or set KEYS_TABLE.")
    return KeyRing(dynamodb_client(), table, now=lambda: datetime.now(UTC), random_bytes=secrets.token_bytes)
