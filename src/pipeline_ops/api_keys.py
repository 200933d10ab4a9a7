"""`keys create`, `keys list`, `keys revoke`."""

import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from botocore.exceptions import ClientError
from rich.markup import escape
from rich.table import Table

from aws.api_keys import (
    KEY_CACHE_SECONDS,
    Scope,
    StoredKey,
    generate_key,
    key_from_item,
    key_hash,
    key_item,
    parse_key_id,
)
from aws.clients import dynamodb_client
from aws.errors import error_code, translate_errors
from pipeline_ops.console import print_table
from pipeline_ops.errors import OpsError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Every API key of a deployment: made, listed and revoked.


@dataclass(frozen=True)
class KeyRing:
    """`now` tells the time in UTC; `random_bytes` must be fit for secrets."""

    dynamodb: "DynamoDBClient"
    table: str
    now: Callable[[], datetime]
    random_bytes: Callable[[int], bytes]

    def create(self, name: str, scopes: Iterable[Scope]) -> str:
        """The key's text. It is kept nowhere: what is stored is its hash."""
        text = generate_key(self.random_bytes)
        key = StoredKey(parse_key_id(text) or "", name, frozenset(scopes), key_hash(text), self._time())
        with translate_errors("DynamoDB"):
            self.dynamodb.put_item(
                TableName=self.table, Item=key_item(key), ConditionExpression="attribute_not_exists(KeyId)"
            )
        return text

    def all(self) -> list[StoredKey]:
        """The oldest first, revoked ones too."""
        with translate_errors("DynamoDB"):
            pages = list(self.dynamodb.get_paginator("scan").paginate(TableName=self.table, ConsistentRead=True))
        keys = [key_from_item(item) for page in pages for item in page["Items"]]
        return sorted(keys, key=lambda key: (key.created_at, key.key_id))

    def revoke(self, key_id: str) -> None:
        """Done again, it keeps the first time. Raises OpsError where there is no such key."""
        with translate_errors("DynamoDB"), _missing_told(key_id):
            self.dynamodb.update_item(
                TableName=self.table,
                Key={"KeyId": {"S": key_id}},
                UpdateExpression="SET RevokedAt = if_not_exists(RevokedAt, :now)",
                ConditionExpression="attribute_exists(KeyId)",
                ExpressionAttributeValues={":now": {"S": self._time()}},
            )

    def _time(self) -> str:
        return self.now().isoformat(timespec="seconds")


@contextmanager
def _missing_told(key_id: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error_code(error) == "ConditionalCheckFailedException":
            raise OpsError(f"There is no key {key_id}.") from error
        raise


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
    typer.echo(f"{key_id} is revoked; within {KEY_CACHE_SECONDS:.0f} seconds nobody takes it any more.")


def _ring(table: str | None) -> KeyRing:
    if not table:
        raise OpsError("Give --keys-table NAME, or set KEYS_TABLE.")
    return KeyRing(dynamodb_client(), table, now=lambda: datetime.now(UTC), random_bytes=secrets.token_bytes)
