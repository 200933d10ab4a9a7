"""`keys create`, `keys list`, `keys revoke`: the API keys of a deployment."""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from botocore.exceptions import ClientError
from rich.markup import escape
from rich.table import Column, Table

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

KeysTable = Annotated[str | None, typer.Option("--keys-table", envvar="KEYS_TABLE", help="The table of API keys.")]


def app() -> typer.Typer:
    commands = typer.Typer(no_args_is_help=True, help="API keys: who may send rows, and who may read.")
    commands.command("create")(create_command)
    commands.command("list")(list_command)
    commands.command("revoke")(revoke_command)
    return commands


def create_command(
    name: Annotated[str, typer.Argument(help="Who uses the key. Two keys may have the same name.")],
    scope: Annotated[list[Scope], typer.Option(help="What the key permits; repeat the option for several scopes.")],
    keys_table: KeysTable = None,
) -> None:
    """Create a key and print it. It is never shown again. To rotate a key: create, hand out, revoke the old one."""
    typer.echo(_key_ring(keys_table).create(name, scope))


def list_command(keys_table: KeysTable = None) -> None:
    """List every key, without the secrets: they are not stored."""
    id_column = Column("Id", no_wrap=True)  # to be copied
    table = Table(id_column, "Name", "Scopes", "Created (UTC)", "Revoked (UTC)")
    for key in _key_ring(keys_table).all():
        scopes = ", ".join(sorted(key.scopes))
        created, revoked = _short(key.created_at), _short(key.revoked_at or "no")
        table.add_row(key.key_id, escape(key.name), scopes, created, revoked)
    if table.row_count:
        print_table(table)
    else:
        typer.echo("There are no keys.")


def _short(moment: str) -> str:
    """Without the zone, which the heading names."""
    return moment[:19].replace("T", " ")


def revoke_command(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The part of the key before the dot.")],
    keys_table: KeysTable = None,
) -> None:
    """Revoke a key. A revoked key never works again."""
    key_id = key_id.partition(".")[0]
    _key_ring(keys_table).revoke(key_id)
    typer.echo(f"{key_id} is revoked. Within {KEY_CACHE_SECONDS:.0f} seconds no part of the API accepts it.")


def _key_ring(table: str | None) -> "KeyRing":
    if not table:
        raise OpsError("Give --keys-table NAME, or set KEYS_TABLE.")
    return KeyRing(dynamodb_client(), table, now=lambda: datetime.now(UTC), random_bytes=secrets.token_bytes)


@dataclass(frozen=True)
class KeyRing:
    """Every API key of a deployment. `now` is in UTC; `random_bytes` must be cryptographically secure."""

    dynamodb: "DynamoDBClient"
    table: str
    now: Callable[[], datetime]
    random_bytes: Callable[[int], bytes]

    def create(self, name: str, scopes: Iterable[Scope]) -> str:
        """The text of the new key. Only its hash is stored."""
        text = generate_key(self.random_bytes)
        key = StoredKey(parse_key_id(text) or "", name, frozenset(scopes), key_hash(text), self._timestamp())
        with translate_errors("DynamoDB"):
            self.dynamodb.put_item(
                TableName=self.table, Item=key_item(key), ConditionExpression="attribute_not_exists(KeyId)"
            )
        return text

    def all(self) -> list[StoredKey]:
        """The oldest key first; revoked keys, too."""
        with translate_errors("DynamoDB"):
            pages = list(self.dynamodb.get_paginator("scan").paginate(TableName=self.table, ConsistentRead=True))
        keys = [key_from_item(item) for page in pages for item in page["Items"]]
        return sorted(keys, key=lambda key: (key.created_at, key.key_id))

    def revoke(self, key_id: str) -> None:
        """A second call keeps the time of the first. Raises OpsError where there is no such key."""
        try:
            with translate_errors("DynamoDB"):
                self.dynamodb.update_item(
                    TableName=self.table,
                    Key={"KeyId": {"S": key_id}},
                    UpdateExpression="SET RevokedAt = if_not_exists(RevokedAt, :now)",
                    ConditionExpression="attribute_exists(KeyId)",
                    ExpressionAttributeValues={":now": {"S": self._timestamp()}},
                )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            raise OpsError(f"There is no key {key_id}.") from error

    def _timestamp(self) -> str:
        return self.now().isoformat(timespec="seconds")
