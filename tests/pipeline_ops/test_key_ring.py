"""Keys are made, listed and revoked; what is stored of them opens nothing."""

import secrets
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from aws.api_keys import KeyTable, Scope
from pipeline_api.auth import Authenticator
from pipeline_api.problems import Unauthenticated
from pipeline_ops.api_keys import KeyRing
from pipeline_ops.cli import build_app
from pipeline_ops.errors import OpsError
from tests.conftest import create_table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def ring(dynamodb: "DynamoDBClient") -> KeyRing:
    create_table(dynamodb, "keys", "KeyId")
    return KeyRing(dynamodb, "keys", lambda: NOON, secrets.token_bytes)


def gate_of(ring: KeyRing) -> Authenticator:
    return Authenticator(KeyTable(ring.dynamodb, "keys").find, lambda: 0.0)


def test_a_key_opens_until_it_is_revoked(ring: KeyRing) -> None:
    """And the other one goes on."""
    old, new = ring.create("old", [Scope.READ]), ring.create("new", [Scope.READ])
    gate_of(ring).authorize(old, Scope.READ)
    ring.revoke(old.partition(".")[0])
    with pytest.raises(Unauthenticated):
        gate_of(ring).authorize(old, Scope.READ)
    gate_of(ring).authorize(new, Scope.READ)


def test_nothing_that_is_stored_holds_the_secret(ring: KeyRing) -> None:
    """Who reads the table can use no key."""
    text = ring.create("somebody", Scope)
    assert text.partition(".")[2] not in str(ring.dynamodb.scan(TableName="keys")["Items"])


def test_revoking_again_keeps_the_first_time(ring: KeyRing) -> None:
    """It says when the key stopped."""
    key_id = ring.create("somebody", Scope).partition(".")[0]
    ring.revoke(key_id)
    replace(ring, now=lambda: NOON.replace(hour=13)).revoke(key_id)
    assert ring.all()[0].revoked_at == "2026-11-22T12:00:00+00:00"


def test_an_unknown_key_cannot_be_revoked(ring: KeyRing) -> None:
    """And is not made by it."""
    with pytest.raises(OpsError, match=r"There is no key 0123456789ab\."):
        ring.revoke("0123456789ab")
    assert ring.all() == []


def test_the_commands(ring: KeyRing) -> None:
    """`create` prints the key alone, `list` everything but the secret, `revoke` takes the id or the whole key."""
    run = CliRunner()
    app, table = build_app(), ["--keys-table", "keys"]
    text = run.invoke(
        app, ["keys", "create", "till [1]", "--scope", "ingest", "--scope", "read", *table]
    ).stdout.strip()
    gate_of(ring).authorize(text, Scope.INGEST)
    key_id, secret = text.split(".")
    revoked = run.invoke(app, ["keys", "revoke", text, *table])
    listed = run.invoke(app, ["keys", "list", *table]).stdout
    assert revoked.stdout == f"{key_id} is revoked. Within 60 seconds no part of the API accepts it.\n"
    assert all(shown in listed for shown in (key_id, "till [1]", "ingest, read"))
    assert secret not in listed + revoked.stdout
