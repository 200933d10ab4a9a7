"""`rejected list | show | resend`: rows that the API rejected are found, mended and sent once."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from aws.bucket import Bucket
from aws.rejections import RejectionStore, new_rejection
from invoices.batch import unpack
from invoices.errors import RowError, Unavailable
from invoices.rows import read_ndjson, split_ndjson
from pipeline_ops.cli import build_app
from pipeline_ops.erase.statements import StatementWriter
from pipeline_ops.errors import OpsError
from pipeline_ops.options import Stores
from pipeline_ops.redrive import parse_fix
from pipeline_ops.rejected import ResendResult, resend
from tests.invoice_rows import Row, ndjson, row
from tests.pipeline_ops.stores import deliver, stored_ids, stored_lines

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
BAD = [row(Quantity="six"), row(Quantity="six"), row(Quantity="6", Country="")]


def keep(store: RejectionStore, rows: list[Row], batch_id: str = "batch-1") -> str:
    """Rows 0, 2, 4 … of a request, as the API would keep them."""
    texts = {2 * place: ndjson([each]) for place, each in enumerate(rows)}
    read = read_ndjson(ndjson(rows))
    errors = [RowError(2 * error.index, error.field, error.message) for error in read.errors]
    rejection = new_rejection(batch_id, NOON, texts, errors or [RowError(0, None, "was wrong")])
    store.create(rejection)
    return rejection.id


@pytest.fixture
def store(s3: "S3Client") -> RejectionStore:
    return RejectionStore(Bucket(s3, "raw-bucket"))


@pytest.fixture
def records() -> list[tuple[str, bytes]]:
    """What was put on the stream."""
    return []


Resend = Callable[..., ResendResult]


@pytest.fixture
def resend_rows(store: RejectionStore, records: list[tuple[str, bytes]]) -> Resend:
    def run(rejection_id: str, *values: str, rows: tuple[int, ...] = (), dry_run: bool = False) -> ResendResult:
        fix = parse_fix(values, rows)
        return resend(store, lambda *record: records.append(record), rejection_id, fix, dry_run=dry_run)

    return run


def test_mended_rows_are_stored_once(
    store: RejectionStore, stores: Stores, records: list[tuple[str, bytes]], resend_rows: Resend
) -> None:
    """However often the resend is repeated, also with other values; equal rows stay as many as they were."""
    rejection_id = keep(store, BAD)
    first = resend_rows(rejection_id, "Quantity=6")
    assert (first.rows, [error.field for error in first.errors]) == (2, ["Country"])
    second = resend_rows(rejection_id, "Quantity=7", "Country=Malta")
    assert (second.rows, second.before, second.errors) == (1, 2, ())
    third = resend_rows(rejection_id, "Quantity=8")
    assert (third.rows, third.before) == (0, 3)
    for batch_id, data in records:
        deliver(stores, data, batch_id)
    assert len(records) == 2
    assert {batch_id for batch_id, _ in records} == {f"resent-{rejection_id[-16:]}"}
    ids = dict(zip(stored_ids(stores), stored_lines(stores), strict=True))
    assert sorted((line.Quantity, line.Country) for line in ids.values()) == [
        (6, "United Kingdom"),
        (6, "United Kingdom"),
        (7, "Malta"),
    ]


def test_a_resend_that_stopped_before_the_stream_is_finished_by_the_next(
    store: RejectionStore, records: list[tuple[str, bytes]], resend_rows: Resend
) -> None:
    """With the values of the first: what it decided holds."""
    rejection_id = keep(store, BAD[:1])

    def stop(_batch_id: str, _record: bytes) -> None:
        raise Unavailable("Kinesis did not answer")

    with pytest.raises(Unavailable):
        resend(store, stop, rejection_id, parse_fix(["Quantity=6"], []))
    resend_rows(rejection_id, "Quantity=7")
    ((_, record),) = records
    assert [line.Quantity for line in read_ndjson(unpack(record, 10_000)).lines] == [6]


def test_only_chosen_rows_are_resent(
    store: RejectionStore, records: list[tuple[str, bytes]], resend_rows: Resend
) -> None:
    """By their index in the request, which is not their place in the object."""
    rejection_id = keep(store, BAD)
    assert resend_rows(rejection_id, "Quantity=6", rows=(2,)).rows == 1
    assert len(split_ndjson(unpack(records[0][1], 10_000))) == 1
    found = store.read(rejection_id)
    assert found
    assert [each.resent is not None for each in found[0].rows] == [False, True, False]


def test_a_dry_run_writes_nothing(store: RejectionStore, records: list[tuple[str, bytes]], resend_rows: Resend) -> None:
    rejection_id = keep(store, BAD)
    before = store.read(rejection_id)
    assert resend_rows(rejection_id, "Quantity=6", dry_run=True).rows == 2
    assert (records, store.read(rejection_id)) == ([], before)


@pytest.mark.parametrize(
    "statement",
    [
        {"Occurrence": 1, "AsOf": "2026-11-26T09:00:00Z"},
        {"Occurrence": 1, "Withdrawn": True, "AsOf": "2026-11-26"},
        {"AsOf": "2026-11-26T09:00:00Z", "Withdrawn": True},
    ],
)
def test_a_row_that_corrects_a_line_is_left_to_its_sender(
    store: RejectionStore, records: list[tuple[str, bytes]], resend_rows: Resend, statement: Row
) -> None:
    """A caller needs a scope for it, and a resend must not be a way around."""
    result = resend_rows(keep(store, [row(**statement)]))
    assert (result.rows, len(result.errors), records) == (0, 1, [])


def test_two_resends_at_once_decide_once(store: RejectionStore) -> None:
    """The second one is told to run again, and nothing of it is on the stream."""
    rejection_id = keep(store, BAD[:1])
    puts: list[str] = []

    class Slow(RejectionStore):
        def read(self, rejection_id: str) -> object:  # type: ignore[override]
            found = store.read(rejection_id)
            resend(store, lambda _batch_id, _record: puts.append("first"), rejection_id, parse_fix(["Quantity=6"], []))
            return found

    with pytest.raises(OpsError, match="Run the command again"):
        resend(Slow(store.bucket), lambda *_: puts.append("second"), rejection_id, parse_fix(["Quantity=7"], []))
    assert puts == ["first"]


@pytest.fixture
def command(
    kinesis: "KinesisClient", s3: "S3Client", monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str]]:
    """Runs `rejected …`; returns the exit code and the output."""
    for name, value in {"RAW_BUCKET": "raw-bucket", "STREAM_NAME": "rows"}.items():
        monkeypatch.setenv(name, value)

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(build_app(), ["rejected", *words])
        return done.exit_code, done.output or str(done.exception)

    return run


def test_list_and_show_say_what_was_rejected_and_resent(
    store: RejectionStore, command: Callable[..., tuple[int, str]]
) -> None:
    """A stranger's text is escaped."""
    assert command("list") == (0, "No rejected rows are kept.\n")
    rejection_id = keep(store, [*BAD, row(Quantity="\x1b[31m\u202e")])
    assert command("list", "--field", "Country")[1].startswith(
        f"{rejection_id}\n  2026-11-26 12:00:00 UTC  4 rows rejected\n    3 x Quantity must be"
    )
    assert command("list", "--to", "2026-11-26T12")[1] == command("list", "--reason", "no such")[1]
    code, text = command("resend", rejection_id, "--set", "Quantity=6", "--row", "0", "--row", "4")
    assert code == 1
    assert f"{rejection_id}: 1 row resent as batch resent-{rejection_id[-16:]}\n  row 4: Country must be" in text
    assert "4 rows rejected; 1 resent" in command("list")[1]
    shown = command("show", rejection_id)[1]
    assert "  row 0: Quantity must be a whole number" in shown
    assert '    resent as {"InvoiceNo":"536365"' in shown
    assert "\\u001b[31m" in shown


def test_a_row_that_was_decided_and_did_not_arrive_is_not_shown_as_resent(
    store: RejectionStore, command: Callable[..., tuple[int, str]]
) -> None:
    """The stream may fail after the decision; a repeated resend sends it."""
    rejection_id = keep(store, BAD)

    def fail(_key: str, _record: bytes) -> None:
        raise Unavailable

    with pytest.raises(Unavailable):
        resend(store, fail, rejection_id, parse_fix(["Quantity=6"], [0]))
    assert "    to be resent, perhaps not arrived" in command("show", rejection_id)[1]
    command("resend", rejection_id, "--row", "0")
    assert '    resent as {"InvoiceNo"' in command("show", rejection_id)[1]


def test_all_that_match_are_resent(
    store: RejectionStore, kinesis: "KinesisClient", command: Callable[..., tuple[int, str]]
) -> None:
    """One record for each request."""
    keep(store, BAD[:1])
    keep(store, BAD[:1], "batch-2")
    keep(store, BAD[2:], "batch-3")
    code, text = command("resend", "--all", "--field", "Quantity", "--set", "Quantity=6")
    assert (code, text.count("1 row resent")) == (0, 2)
    assert (
        command("resend", "--all", "--field", "Quantity")[1].count("no further row was resent; resent before: 1 row")
        == 2
    )


def test_a_request_that_expired_meanwhile_stops_no_other(
    store: RejectionStore, command: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named, and the exit code tells that not all rows were resent."""
    kept, gone = keep(store, BAD[:1]), keep(store, BAD[:1], "batch-2")
    read = RejectionStore.read
    monkeypatch.setattr(RejectionStore, "read", lambda self, each: None if each == gone else read(self, each))
    code, text = command("resend", "--all", "--set", "Quantity=6")
    assert code == 1
    assert f"There is no {gone} among the rejected rows" in text
    assert f"{kept}: 1 row resent" in text


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("show 2026-11-26.43195.batch-1.0123456789abcdef", "There is no 2026-11-26.43195.batch-1.0123456789abcdef"),
        ("resend", "Give ids, or --all."),
        ("resend x --field Country", "--from, --to, --field and --reason work only with --all."),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    command: Callable[..., tuple[int, str]], words: str, sentence: str
) -> None:
    code, text = command(*words.split())
    assert (code, text.startswith(sentence)) == (1, True)


def end_erasure(store: RejectionStore, ended_at: float) -> None:
    writer = StatementWriter(store.bucket)
    writer.end(writer.begin("17850", 0, keeps_lines=False), int(ended_at))


def test_a_rejection_that_an_erasure_overlooked_is_not_resent(
    store: RejectionStore, records: list[tuple[str, bytes]], resend_rows: Resend
) -> None:
    """It was written while the erasure ran. A row that gets the customer by a fix counts, too; others are resent."""
    own, others = keep(store, BAD), keep(store, [row(Quantity="six", CustomerID="13047")], "batch-2")
    end_erasure(store, NOON.timestamp() + 1)
    for rejection_id, fix in ((own, "Quantity=6"), (others, "CustomerID=17850")):
        with pytest.raises(OpsError, match="has rows of a customer who was erased"):
            resend_rows(rejection_id, fix, "Quantity=6")
    assert records == []
    assert resend_rows(others, "Quantity=6").rows == 1


def test_a_rejection_after_an_erasure_is_resent(store: RejectionStore, resend_rows: Resend) -> None:
    """Its rows are new business."""
    rejection_id = keep(store, BAD)
    end_erasure(store, NOON.timestamp())
    assert resend_rows(rejection_id, "Quantity=6").rows == 2
