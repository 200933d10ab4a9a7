"""The commands as they are typed: what they print, and how they end."""

import errno
import json
from pathlib import Path
from unittest.mock import Mock

import duckdb
import pytest

from consumers.lake.table import NewerTable
from invoices.batch import pack
from pipeline_ops.cli import main
from pipeline_ops.failed import show_command
from pipeline_ops.options import Stores
from tests.consumers.events import delivered
from tests.invoice_rows import ndjson, row
from tests.pipeline_ops.stores import BATCH, RAW_KEY, alter_first_price, deliver, keys, send, slice_key_of, tables
from tests.pipeline_ops.test_read_rows import HEADER, VALUES, write

pytestmark = pytest.mark.slow

ADVICE = "Free memory or disk space, and run the command again."
NOTHING = "Nothing failed: there are no dead letters and no discarded batches.\n"


class Command:
    """Runs a command in this process, with the environment of the functions."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        for name, value in (("RAW_BUCKET", "raw-bucket"), ("INVOICES_TABLE", "invoices")):
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("CUSTOMERS_TABLE", "customers")
        monkeypatch.setenv("BATCHES_TABLE", "batches")

    def __call__(self, *words: str) -> tuple[int, str]:
        """The exit code, and what was printed on both outputs."""
        self._monkeypatch.setattr("sys.argv", ["pipeline_ops", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = self._capsys.readouterr()
        return int(ended.value.code or 0), out + err


@pytest.fixture
def command(stores: Stores, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(monkeypatch, capsys)


def test_failed_list(stores: Stores, command: Command) -> None:
    """Key, time and reason of each document; an empty folder says so."""
    assert command("failed", "list") == (0, NOTHING)
    send(stores, [row(), row(Quantity="six")])
    code, text = command("failed", "list", "--stage", "to_dynamodb", "--from", "2020-01-01")
    assert (code, keys(stores, "failed/")[0] in text, "1 of 2 rows are no invoice lines" in text) == (0, True, True)
    assert command("failed", "list", "--to", "2020-01-01") == (0, NOTHING)
    assert command("failed", "list", "--stage", "to_s3") == (0, NOTHING)


def test_failed_show(stores: Stores, command: Command) -> None:
    """Reason, errors and rows, with their places in the record."""
    send(stores, [row(), row(Quantity="six")])
    code, text = command("failed", "show", keys(stores, "failed/")[0])
    assert (code, f"batch id         {BATCH}" in text) == (0, True)
    assert "  row 1: Quantity must be a whole number of at most 9 digits\n" in text
    assert f"row 1: {ndjson([row(Quantity='six')]).decode()}\n" in text


def test_failed_show_of_poison(stores: Stores, command: Command) -> None:
    """It has no rows to show, and the reason why."""
    deliver(stores, b"poison")
    assert (
        "6 bytes that cannot be read: the bytes are not valid gzip"
        in command("failed", "show", keys(stores, "failed/")[0])[1]
    )


def test_failed_show_raw(stores: Stores, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """The payload alone, byte for byte."""
    deliver(stores, b"poison\x00\xff")
    show_command(key=keys(stores, "failed/")[0], raw=True, bucket="raw-bucket")
    assert capfdbinary.readouterr().out == b"poison\x00\xff"


def put(stores: Stores, key: str, document: object) -> None:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    stores.bucket.create(key, body, "application/json")


def discarded(*records: tuple[str, bytes]) -> dict[str, object]:
    """What Lambda writes under `aws/lambda/`."""
    event = {"Records": [delivered(data, key, number) for number, (key, data) in enumerate(records, 1)]}
    context = {"functionArn": "arn:f", "condition": "RetryAttemptsExhausted"}
    return {"requestContext": context, "version": "1.0", "payload": json.dumps(event)}


STRAY = {
    "failed/to_dynamodb/a.json": b"not JSON",
    "failed/to_dynamodb/b.json": b"[" * 100_000,
    "failed/to_dynamodb/c.json": json.dumps(
        {
            "stage": "to_dynamodb",
            "batch_id": "c",
            "sequence_number": "1",
            "reason": "",
            "errors": [],
            "payload_base64": "?",
        }
    ).encode(),
    "failed/to_s3/d.json": b"{}",
    "aws/lambda/m/shard/e": b'{"payload": 1}',
}


def test_one_unreadable_document_does_not_stop_the_others(stores: Stores, command: Command) -> None:
    """Each is named and left, the good one is stored, and the exit code is 1."""
    for key, body in STRAY.items():
        put(stores, key, body)
    send(stores, [row(Quantity="six")])
    code, text = command("failed", "redrive", "--all", "--set", "Quantity=6")
    assert (code, [key for key in STRAY if f"{key}: not redriven, " in text]) == (1, list(STRAY))
    assert "1 row redriven" in text
    assert keys(stores, "failed/") + keys(stores, "aws/") == sorted(STRAY, key=lambda key: key.startswith("aws/"))
    assert all(key in command("failed", "list")[1] for key in STRAY)


def test_a_deeply_nested_row_is_shown_and_left(stores: Stores, command: Command) -> None:
    """No parser reaches the end of it."""
    deliver(stores, pack(b"[" * 100_000))
    (key,) = keys(stores, "failed/to_dynamodb/")
    assert command("failed", "redrive", key, "--set", "Quantity=6")[0] == 1
    assert command("failed", "show", key)[0] == 0


def test_a_batch_that_lambda_discarded_is_listed_shown_and_stored(stores: Stores, command: Command) -> None:
    """Its good record is in archive and tables and has a receipt, its bad one is a dead letter; the batch is gone."""
    key = "aws/lambda/mapping/shardId-0/2026/11/25/x"
    put(stores, key, discarded((BATCH, pack(ndjson([row(Occurrence=1)]))), ("other", b"poison")))
    assert f"{key}\n" in command("failed", "list")[1]
    assert "RetryAttemptsExhausted" in command("failed", "show", key)[1]
    assert command("failed", "redrive", key, "--dry-run") == (0, f"{key}: 2 records would be redriven\n")
    assert keys(stores) == [key]
    assert command("failed", "redrive", key) == (0, f"{key}: 2 records redriven\n")
    assert (RAW_KEY in keys(stores), keys(stores, "aws/")) == (True, [])
    assert [each.split("/")[1] for each in keys(stores, "failed/")] == ["to_dynamodb", "to_s3"]
    assert len(tables(stores)[0]) == 1
    assert [item["BatchId"]["S"] for item in stores.dynamodb.scan(TableName="batches")["Items"]] == [BATCH]


def test_what_a_stranger_sent_has_no_power_over_the_terminal(stores: Stores, command: Command) -> None:
    """Escape sequences and direction marks are shown as text."""
    deliver(stores, pack(ndjson([row(Description="\x1b[2J\u202e", Quantity="six")])), "key\x1b[31m")
    key = next(each for each in keys(stores, "failed/") if "to_dynamodb" in each)
    for words in (("failed", "list"), ("failed", "show", key)):
        assert not {"\x1b", "\u202e"} & set(command(*words)[1])


def test_failed_redrive(stores: Stores, command: Command) -> None:
    """First without writing, then for all, then again."""
    send(stores, [row(), row(Quantity="six")])
    (key,) = keys(stores, "failed/")
    assert command("failed", "redrive", key, "--set", "Quantity=6", "--dry-run") == (
        0,
        f"{key}: 1 row would be redriven\n",
    )
    assert command("failed", "redrive", "--all", "--set", "Quantity=6") == (0, f"{key}: 1 row redriven\n")
    assert command("failed", "redrive", key) == (0, f"{key}: was redriven before, nothing changes\n")
    send(stores, [row(), row(Quantity="six")])  # delivered again, so the dead letter is back
    code, text = command("failed", "redrive", key, "--set", "Quantity=7")
    assert (code, "was redriven before: 1 row stored as decided then" in text) == (0, True)


def test_failed_redrive_of_a_row_that_is_still_invalid(stores: Stores, command: Command) -> None:
    """Ends with 1 and the reason."""
    send(stores, [row(), row(Quantity="six")])
    code, text = command("failed", "redrive", "--all", "--set", "Quantity=VI")
    assert (code, "not redriven, no row of it is an invoice line" in text, "VI" in text) == (1, True, False)


def test_verify(stores: Stores, command: Command, tmp_path: Path) -> None:
    """0 and a sentence if all is well; 1 and a table if not."""
    send(stores, [row(Description="WHITE HEART", Occurrence=1)])
    path = str(write(tmp_path / "rows.csv", f"{HEADER}\n{VALUES}\n"))
    code, text = command("verify", path)
    assert (code, "Clean: nothing is missing, doubled or different." in text) == (0, True)
    alter_first_price(stores, "536365")
    code, text = command("verify", path)
    assert (code, "1 changed in invoices" in text) == (1, True)


def test_verify_says_why_no_lake_was_compared(stores: Stores, command: Command) -> None:
    """Otherwise "Clean" would seem to include it."""
    send(stores, [row(Occurrence=1)])
    assert "Lake     not compared: give --lake-bucket or set LAKE_BUCKET\n" in command("verify")[1]
    assert "Lake     not compared: --no-lake was given\n" in command("verify", "--no-lake")[1]
    assert json.loads(command("verify", "--json")[1])["lake_rows"] is None


def test_verify_as_json(stores: Stores, command: Command) -> None:
    """One object, with everything that is needed to find the row."""
    send(stores, [row(Occurrence=1, CustomerID=None)])
    stores.dynamodb.delete_item(TableName="invoices", Key=slice_key_of(stores, "536365"))
    code, text = command("verify", "--json")
    report = json.loads(text)
    assert (code, report["clean"], report["raw_rows"]) == (1, False, 1)
    assert report["counts"] == [{"kind": "missing", "where": "invoices", "rows": 1}]
    (found,) = report["findings"]
    assert (found["object"], found["batch_id"], found["index"]) == (RAW_KEY, BATCH, 0)


def test_replay(stores: Stores, command: Command, tmp_path: Path) -> None:
    """Into the same tables; the progress file is gone at the end."""
    send(stores, [row()])
    before = tables(stores)
    stores.dynamodb.delete_item(TableName="invoices", Key=slice_key_of(stores, "536365"))
    progress = tmp_path / "progress.json"
    code, text = command("replay", "--progress", str(progress), "--rate", "1000")
    assert (code, tables(stores), progress.exists()) == (0, before, False)
    assert text == "Replayed 1 object and 0 redriven rows. Rejected again: 0 rows and 0 objects.\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("failed list --bucket none", "AWS refused ListObjectsV2 (NoSuchBucket)"),
        ("failed list --stage to_sqs", "--stage must be one of: to_s3, to_dynamodb."),
        ("failed show failed/none.json", "There is no failed/none.json."),
        ("failed redrive", "Give keys, or --all."),
        ("failed redrive --all key", "Give keys, or --all."),
        ("failed redrive key --stage to_s3", "--from, --to and --stage work only with --all."),
        ("failed redrive --all --set Price=2", "--set takes Field=value, with one of these fields: InvoiceNo"),
        ("verify none.csv", "none.csv cannot be read: No such file or directory."),
        ("verify none.csv --from 2026-01-01", "Give a CSV or a time range, not both"),
        ("verify --to 2026-01-01T00:30", "--to must be a full hour"),
        ("verify --invoices-table none", "AWS refused Scan (ResourceNotFoundException)"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(command: Command, words: str, sentence: str) -> None:
    """And ends with 2."""
    code, text = command(*words.split())
    assert (code, text.startswith(sentence), text.count("\n")) == (2, True, 1)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "A file cannot be read or written: No space left on device\n",
        ),
        (
            duckdb.IOException("IO Error: full\nLINE 1"),
            f"The lake's lines cannot be read or written here: IO Error: full. {ADVICE}\n",
        ),
        (NewerTable("a column"), "a column. Install the version of the stack, and run the command again.\n"),
    ],
    ids=["file", "DuckDB", "newer table"],
)
def test_an_error_on_the_way_is_one_sentence(
    command: Command, monkeypatch: pytest.MonkeyPatch, error: Exception, sentence: str
) -> None:
    """And ends with 2: with 1, `verify` says that something is missing."""
    monkeypatch.setattr("pipeline_ops.verify.command.verify", Mock(side_effect=error))
    assert command("verify") == (2, sentence)


@pytest.mark.parametrize("error", [TypeError("a bug"), duckdb.BinderException("a bug")], ids=["ours", "ours in SQL"])
def test_a_bug_is_shown_whole(command: Command, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """With its traceback, and with 2 as well: nothing was found out."""
    monkeypatch.setattr("pipeline_ops.verify.command.verify", Mock(side_effect=error))
    code, text = command("verify")
    assert (code, text.startswith("Traceback"), text.endswith("a bug\n")) == (2, True, True)


@pytest.mark.parametrize(
    ("words", "variable"), [("failed list", "RAW_BUCKET"), ("verify", "INVOICES_TABLE"), ("replay", "CUSTOMERS_TABLE")]
)
def test_a_name_that_is_missing(command: Command, monkeypatch: pytest.MonkeyPatch, words: str, variable: str) -> None:
    """The option and the variable are both named."""
    monkeypatch.delenv(variable)
    option = {"RAW_BUCKET": "bucket"}.get(variable, variable.lower().replace("_", "-"))
    assert command(*words.split()) == (2, f"Give --{option} NAME, or set {variable}.\n")
