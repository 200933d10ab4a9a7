"""The operator's commands for the lake, typed against a lake in an engine of its own."""

import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from uuid import uuid4

import duckdb
import pytest
from python_calamine import CalamineWorkbook

from aws.clients import dynamodb_client
from invoices.line import line_id
from invoices.rows import read_ndjson
from pipeline_ops.cli import main
from pipeline_ops.lake import lake_lines, open_lake
from pipeline_ops.query import named_questions, version_note
from pipeline_ops.verify.findings import Findings
from pipeline_ops.verify.known_lines import KnownLines
from pipeline_ops.verify.tables import LakeCheck
from tests.conftest import create_table
from tests.consumers.lake.conftest import engine, lake
from tests.consumers.lake.lakes import OLDER_LINE, Lake
from tests.invoice_rows import ndjson, row

pytestmark = pytest.mark.slow

__all__ = ["engine", "lake"]  # fixtures

JANUARY = "1/4/2011 10:00"
SUM = "SELECT month, COUNT(*) AS Lines, SUM(Amount) AS Revenue FROM lines GROUP BY month ORDER BY month"


class LakeCommand:
    """Runs a command in this process, with the environment of the lake's function."""

    def __init__(self, lake: Lake, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.cache = cache
        for name, value in (
            ("RAW_BUCKET", lake.archive_bucket),
            ("LAKE_BUCKET", lake.bucket),
            ("LAKE_QUEUE", lake.queue_url),
        ):
            monkeypatch.setenv(name, value)

    def __call__(self, *words: str) -> int:
        self._monkeypatch.setattr("sys.argv", ["pipeline_ops", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    def query(self, *words: str) -> int:
        return self("query", *words, "--cache", str(self.cache))


@pytest.fixture
def command(lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LakeCommand:
    return LakeCommand(lake, tmp_path / "cache", monkeypatch)


@pytest.fixture
def filled(lake: Lake) -> Lake:
    lake.archive("one", [row(Occurrence=1), row(Occurrence=2), row(Occurrence=1, InvoiceDate=JANUARY, Quantity=-1)])
    lake.archive("again", [row(Occurrence=2), row(Occurrence=1)])
    lake.refresh()
    return lake


def test_a_query_prints_a_table(filled: Lake, command: LakeCommand, capsys: pytest.CaptureFixture[str]) -> None:
    """Each line counts once, and money is exact."""
    code = command.query(SUM)
    out = capsys.readouterr().out
    assert (code, "2010-12" in out, "30.600000" in out, "-2.550000" in out) == (0, True, True, True)


def test_a_query_counts_no_line_that_was_taken_back(
    filled: Lake, command: LakeCommand, capsys: pytest.CaptureFixture[str]
) -> None:
    """`lines` are those that hold; `statements` has the others, too, with the instant."""
    filled.archive("back", [row(Occurrence=1, AsOf="2026-11-26T09:00:00Z", Withdrawn=True)])
    filled.refresh()
    capsys.readouterr()
    command.query("SELECT COUNT(*) AS Lines FROM lines", "--json")
    command.query("SELECT StatedAt FROM statements WHERE Withdrawn", "--json")
    held, withdrawn = map(json.loads, capsys.readouterr().out.splitlines())
    assert (held, withdrawn) == ([{"Lines": 2}], [{"StatedAt": "2026-11-26 09:00:00+00:00"}])


def test_a_query_of_a_lake_that_lacks_rows_says_so(
    filled: Lake, command: LakeCommand, capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard error, so that the result stays alone on standard output."""
    assert command.query("SELECT COUNT(*) FROM lines", "--csv") == 0
    assert "wait" not in capsys.readouterr().err
    filled.archive("new", [row(InvoiceNo="new")])
    assert command.query("SELECT COUNT(*) FROM lines", "--csv") == 0
    out, err = capsys.readouterr()
    assert (out.count("\n"), "1 message about new objects waits" in err) == (2, True)


def test_a_query_prints_json_and_csv(filled: Lake, command: LakeCommand, capsys: pytest.CaptureFixture[str]) -> None:
    """Money is text in JSON."""
    command.query(SUM, "--json")
    objects = json.loads(capsys.readouterr().out)
    command.query(SUM, "--csv")
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert objects[0] == {"month": "2010-12", "Lines": 2, "Revenue": "30.600000"}
    assert rows == [["month", "Lines", "Revenue"], ["2010-12", "2", "30.600000"], ["2011-01", "1", "-2.550000"]]


def test_json_has_every_column_and_no_number_that_is_none(
    filled: Lake, command: LakeCommand, capsys: pytest.CaptureFixture[str]
) -> None:
    """An object would keep one of two columns with one name, and JSON has no infinity."""
    assert command.query("SELECT 1::DOUBLE / 0 AS Quotient, 'NaN'::DOUBLE AS Other", "--json") == 0
    assert json.loads(capsys.readouterr().out) == [{"Quotient": None, "Other": None}]
    assert command.query("SELECT ['inf'::DOUBLE, 1] AS Listed, MAP {'2010-12-01'::DATE: 2} AS Days", "--json") == 0
    assert json.loads(capsys.readouterr().out) == [{"Listed": [None, 1], "Days": {"2010-12-01": 2}}]
    assert command.query("SELECT StockCode, InvoiceNo AS StockCode FROM lines", "--json") == 2
    assert "Two columns are named StockCode" in capsys.readouterr().err


def test_a_workbook_that_cannot_be_written_is_named(
    filled: Lake, command: LakeCommand, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the path; exit code 2. What is no number stands in it as text."""
    path = tmp_path / "missing" / "sums.xlsx"
    assert command.query(SUM, "--xlsx", str(path)) == 2
    assert capsys.readouterr().err == f"A file cannot be read or written: {path}: No such file or directory\n"
    assert command.query("SELECT 1::DOUBLE / 0 AS Quotient", "--xlsx", str(tmp_path / "sums.xlsx")) == 0


def test_a_cache_that_cannot_be_made_is_named(
    filled: Lake, command: LakeCommand, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert command("query", SUM, "--cache", str(tmp_path / "file" / "cache")) == 2
    assert "A file cannot be read or written" in capsys.readouterr().err


def test_a_full_disk_is_one_sentence(filled: Lake, command: LakeCommand, capfd: pytest.CaptureFixture[str]) -> None:
    """Whatever writes there: each has its own error."""
    assert command.query(SUM, "--xlsx", "/dev/full") == 2
    assert capfd.readouterr().err == "A file cannot be read or written: No space left on device\n"
    assert command.query(SUM, "--parquet", "/dev/full") == 2
    assert re.fullmatch(r"IO Error: .+\n", capfd.readouterr().err)


def test_a_damaged_file_of_the_cache_is_named(
    filled: Lake, command: LakeCommand, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.query(SUM, "--csv") == 0
    damaged = next(command.cache.rglob("*.parquet"))
    damaged.write_bytes(b"not Parquet")
    capsys.readouterr()
    assert command.query(SUM, "--csv") == 2
    err = capsys.readouterr().err
    assert (str(damaged) in err, err.count("\n")) == (True, 1)


def test_a_vacuum_of_no_table_is_one_sentence(command: LakeCommand, capsys: pytest.CaptureFixture[str]) -> None:
    """As right after the stack was made."""
    assert command("lake", "vacuum") == 2
    assert capsys.readouterr().err == "The lake has no table yet; run invoice-stream ops lake refresh.\n"


def test_a_lake_without_lines_has_none(lake: Lake, tmp_path: Path) -> None:
    """Its table is there, and has no data file: an erasure has removed the only customer. `verify` compares it."""
    assert list(lake_lines(lake.table, tmp_path, lake.table.snapshot())) == []


@pytest.fixture
def tables(command: LakeCommand, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two that are empty, beside the lake."""
    dynamodb, unique = dynamodb_client(), uuid4().hex
    invoices, customers = f"invoices-{unique}", f"customers-{unique}"
    create_table(dynamodb, invoices, "InvoiceNo", "SliceId")
    create_table(dynamodb, customers, "CustomerID", "Slice")
    monkeypatch.setenv("INVOICES_TABLE", invoices)
    monkeypatch.setenv("CUSTOMERS_TABLE", customers)
    yield
    for name in (invoices, customers):
        dynamodb.delete_table(TableName=name)


@pytest.mark.usefixtures("tables")
def test_verify_judges_a_lake_without_lines(
    lake: Lake, command: LakeCommand, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is archived is missing there, which is no error of the command."""
    lake.archive("one", [row(Occurrence=1)])
    lake.table.snapshot()
    assert command("verify", "--json") == 1
    report = json.loads(capsys.readouterr().out)
    assert report["lake_rows"] == 0
    assert {"kind": "missing", "where": "lake", "rows": 1} in report["counts"]


@pytest.mark.usefixtures("tables")
def test_a_bucket_without_a_table_is_told(command: LakeCommand, capsys: pytest.CaptureFixture[str]) -> None:
    """The lake may be in another one, with the customer."""
    assert command("verify") == 0
    assert "Lake     not compared: its bucket has no table yet" in capsys.readouterr().out
    assert command("verify", "--erased", "17850") == 0
    assert "The lake's bucket has no table, so the lake was not searched." in capsys.readouterr().out


def test_a_query_writes_parquet(filled: Lake, command: LakeCommand, tmp_path: Path) -> None:
    assert command.query("SELECT * FROM lines", "--parquet", str(tmp_path / "all.parquet")) == 0
    assert len(duckdb.read_parquet(str(tmp_path / "all.parquet"))) == 3


def test_a_query_writes_a_workbook(filled: Lake, command: LakeCommand, tmp_path: Path) -> None:
    """Numbers are numbers, days are days, and text that looks like a formula is text."""
    path = tmp_path / "sums.xlsx"
    asked = "SELECT '=1+1' AS Text, SUM(Amount) AS Revenue, MIN(InvoiceDate)::DATE AS Day, NULL AS Nothing FROM lines"
    assert command.query(asked, "--xlsx", str(path)) == 0
    sheet = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    assert sheet == [["Text", "Revenue", "Day", "Nothing"], ["=1+1", 28.05, date(2010, 12, 1), ""]]


def test_a_query_names_the_version_that_it_read(
    filled: Lake, command: LakeCommand, capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard error: standard output holds the result alone."""
    command.query(SUM, "--csv")
    assert re.fullmatch(r"Version 1 of [0-9-]{10} [0-9:]{5} UTC\.\n", capsys.readouterr().err)


def test_an_old_version_is_warned_about(filled: Lake, command: LakeCommand, capsys: pytest.CaptureFixture[str]) -> None:
    """The refresh may have failed for days."""
    command.query(SUM, "--csv")
    snapshot = filled.table.snapshot()
    note = version_note(snapshot, snapshot.committed_at + timedelta(days=3))
    assert note.endswith(" UTC. It is 3 days old: no row that arrived since then is in it.")


def test_data_files_are_fetched_once_and_forgotten_when_they_are_replaced(filled: Lake, command: LakeCommand) -> None:
    """Rows that were taken out of the lake do not stay on the caller's machine."""
    command.query(SUM)
    first = {path: path.stat().st_mtime_ns for path in command.cache.rglob("*.parquet")}
    filled.archive("two", [row(Occurrence=1, AsOf="2026-11-26T10:00:00Z", Withdrawn=True)])
    filled.refresh()
    command.query(SUM)
    second = {path: path.stat().st_mtime_ns for path in command.cache.rglob("*.parquet")}
    assert len(first) == len(second) == 2
    assert [path.parent.name for path, _ in first.items() & second.items()] == ["month=2011-01"]


def test_a_query_may_ask_for_a_column_that_no_data_file_has_yet(
    lake: Lake, command: LakeCommand, capsys: pytest.CaptureFixture[str]
) -> None:
    """Right after a version that adds a column, and before the first refresh."""
    lake.fill_before("LineId", OLDER_LINE)
    assert command.query("SELECT InvoiceNo, LineId, month FROM lines", "--csv") == 0
    assert capsys.readouterr().out.split() == ["InvoiceNo,LineId,month", "536365,,2010-12"]


@pytest.mark.parametrize("question", named_questions())
def test_every_named_question_has_an_answer(
    filled: Lake, command: LakeCommand, capsys: pytest.CaptureFixture[str], question: str
) -> None:
    assert command.query("--question", question, "--json") == 0
    assert json.loads(capsys.readouterr().out)


def test_the_questions_are_listed(command: LakeCommand, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.query("--question", "list") == 0
    out = capsys.readouterr().out
    assert [name for name in named_questions() if name not in out] == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "Give SQL, or --question NAME; --question list shows the names.\n"),
        (("--question", "no-such"), "There is no question no-such; --question list shows the names.\n"),
        (("SELEC",), "Parser Error"),
        ((SUM, "--csv", "--json"), "Give one of --csv, --json, --xlsx and --parquet.\n"),
        ((SUM, "--athena"), "Give --workgroup NAME, or set LAKE_WORKGROUP.\n"),
    ],
    ids=["nothing asked", "unknown question", "no SQL", "two formats", "no workgroup"],
)
def test_a_wrong_question_is_one_sentence(
    filled: Lake, command: LakeCommand, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], message: str
) -> None:
    code = command.query(*words)
    assert (code, capsys.readouterr().err[: len(message)]) == (2, message)


def test_an_empty_lake_says_so(command: LakeCommand, capsys: pytest.CaptureFixture[str], lake: Lake) -> None:
    """And a query creates no table."""
    assert (command.query(SUM), lake.object_keys()) == (2, set())
    assert capsys.readouterr().err == "There are no lines in the lake yet; run invoice-stream ops lake refresh.\n"


def test_status_refresh_and_vacuum(lake: Lake, command: LakeCommand, capsys: pytest.CaptureFixture[str]) -> None:
    lake.archive("one", [row(Occurrence=1)])
    codes = [command("lake", "refresh"), command("lake", "status"), command("lake", "vacuum")]
    out = capsys.readouterr().out
    assert codes == [0, 0, 0]
    assert "Read 1 object with 1 row: version 1, months 2010-12.\nThe queue is empty.\n" in out
    assert "About 0 messages wait in the queue\nDeleted 0 data files and 0 objects with totals.\n" in out


def test_a_rebuild_finds_what_the_queue_lost(
    lake: Lake, command: LakeCommand, capsys: pytest.CaptureFixture[str]
) -> None:
    """It reads the whole archive and adds only what the lake lacks."""
    lake.archive("one", [row(Occurrence=1)])
    lake.refresh()
    lake.archive("two", [row(Occurrence=2)])
    lake.sqs.purge_queue(QueueUrl=lake.queue_url)
    assert command("lake", "rebuild") == 0
    assert capsys.readouterr().out == "Read 2 objects with 2 rows: version 2, months 2010-12.\n"
    assert lake.lines().total() == 2


def test_the_lines_of_the_lake_have_the_ids_of_their_rows(lake: Lake, tmp_path: Path) -> None:
    """Those that to_dynamodb computes; so a comparison by identity is possible."""
    rows = [
        row(Occurrence=1, UnitPrice="100"),
        row(UnitPrice="0.000001", InvoiceDate="2011-01-04T10:00:00.5+02:00"),
        row(Occurrence=2, CustomerID="", Description="", UnitPrice="0"),
    ]
    lake.archive("one", rows)
    lake.refresh()
    lines = read_ndjson(ndjson(rows)).lines
    expected = {(bytes.fromhex(line_id(line, "one", number=1)), line) for line in lines}
    assert set(lake_lines(lake.table, tmp_path, lake.table.snapshot())) == expected


@pytest.mark.parametrize(
    ("in_lake", "expected"),
    [
        ([1, 2], []),
        ([1], [("missing", "lake")]),
        ([1, 2, 2], [("doubled", "lake")]),
        ([1, 2, 3], [("unexpected", "lake")]),
    ],
    ids=["the same lines", "one is missing", "one is doubled", "one is foreign"],
)
def test_verify_compares_the_lake_by_identity(in_lake: list[int], expected: list[tuple[str, str]]) -> None:
    """Counts alone would not see a line that is lost while another one is doubled."""
    lines = {number: read_ndjson(ndjson([row(Occurrence=number)])).lines[0] for number in (1, 2, 3)}
    ids = {number: bytes.fromhex(line_id(line, "", 0)) for number, line in lines.items()}
    known_lines, findings = KnownLines(), Findings()
    for number in (1, 2):
        known_lines.add_from_object(ids[number], lines[number], 0)
    lake_lines_found = [(ids[n], lines[n]) for n in in_lake]
    LakeCheck(known_lines, findings).run(lake_lines_found, only_csv=False, report_unexpected=True)
    assert [(each.kind.value, each.where.value) for each in findings.kept] == expected


def test_no_engine_draws_a_progress_bar(filled: Lake, tmp_path: Path) -> None:
    """DuckDB would print one in the middle of a result that a program reads, and in a function's log."""
    with open_lake(filled.table, tmp_path) as opened:
        assert opened.execute("SELECT current_setting('enable_progress_bar')").fetchall() == [(False,)]


@pytest.mark.slow
def test_a_command_that_asks_no_lake_loads_no_engine() -> None:
    """`ops keys` starts in a quarter less time without DuckDB and deltalake."""
    program = (
        "import sys; from pipeline_ops.cli import build_app; build_app('keys'); print({*sys.modules} & {*sys.argv})"
    )
    command = [sys.executable, "-c", program, "duckdb", "deltalake"]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == "set()\n"
