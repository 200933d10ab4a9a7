"""DuckDB reads the client's own rows, and the pipeline's parser all others, to the same lines."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aws.totals import DayTotals
from bench.rows import posted_batches
from consumers.lake import staging as staging_module
from consumers.lake.staging import MOST_FILES, Staging, United
from invoices.batch import unpack
from invoices.limits import MAX_BODY_BYTES
from invoices.line import Line, line_id
from invoices.rows import Rows, read_rows
from local_runtime.sample import write_sample
from tests.consumers.lake.lakes import OLDER_LINE, LakeLine
from tests.invoices.strategies import lines

CLIENT_ROW = (
    b'{"InvoiceNo":"536365","InvoiceDate":"2010-12-01T08:26:00","CustomerID":"17850","Country":"United Kingdom",'
    b'"StockCode":"85123A","Description":"WHITE HEART","Quantity":6,"UnitPrice":"2.55","Occurrence":1}'
)
CHANGES = (
    (b"2010-12-01T08:26:00", b"2010-12-01T08:26:00Z"),
    (b"2010-12-01T08:26:00", b"2010-12-01T08:26:00ZZ"),
    (b"2010-12-01T08:26:00", b"2010-12-01T08:26:00.5"),
    (b"2010-12-01T08:26:00", b"2010-12-01 08:26:00"),
    (b"2010-12-01T08:26:00", b"2010-12-01T24:00:00"),
    (b"2010-12-01T08:26:00", b"2010-02-29T08:26:00"),
    (b"2010-12-01T08:26:00", b"2012-02-29T08:26:00"),
    (b"2010-12-01T08:26:00", b"0000-01-01T00:00:00"),
    (b"2010-12-01T08:26:00", b"0001-01-01T00:00:00"),
    (b"2010-12-01T08:26:00", b"12/1/2010 8:26"),
    (b'"17850"', b"null"),
    (b'"17850"', b'""'),
    (b'"17850"', b"17850"),
    (b'"17850"', b'"17850.0"'),
    (b'"17850"', b"{}"),
    (b'"17850"', b'"178 50"'),
    (b'"536365"', b"true"),
    (b'"536365"', b'""'),
    (b'"536365"', b'"' + b"5" * 41 + b'"'),
    (b'"85123A"', b'"' + b"A" * 61 + b'"'),
    (b'"WHITE HEART"', b'""'),
    (b'"WHITE HEART"', b"null"),
    (b'"WHITE HEART"', rb'"WHITE \"HEART\""'),
    (b"WHITE HEART", b"W" * 501),
    (b"WHITE HEART", b"\xc2\xa35 HEART"),
    (b"WHITE HEART", b"\xff HEART"),
    (b"WHITE HEART", b"WHITE\x7fHEART"),
    (b"WHITE HEART", b"WHITE\tHEART"),
    (b'"Quantity":6', b'"Quantity":-0'),
    (b'"Quantity":6', b'"Quantity":6.0'),
    (b'"Quantity":6', b'"Quantity":6e1'),
    (b'"Quantity":6', b'"Quantity":"6"'),
    (b'"Quantity":6', b'"Quantity":1000000000'),
    (b'6,"UnitPrice":"2.55"', b'-999999999,"UnitPrice":"-999999999.999999"'),
    (b'"2.55"', b"2.55"),
    (b'"2.55"', b'"-0.00"'),
    (b'"2.55"', b'"2.5500001"'),
    (b'"2.55"', b'"2."'),
    (b'"Occurrence":1', b'"Occurrence":0'),
    (b'"Occurrence":1', b'"Occurrence":null'),
    (b',"Occurrence":1', b""),
    (b',"Occurrence":1', b',"Occurrence":1,'),
    (b',"Occurrence":1', b',"Occurrence":1,"Occurrence":1'),
    (b',"Occurrence":1', b',"Occurrence":1,"Unknown":1'),
    (b'"Quantity":6,', b'"Quantity":6 ,'),
    (b"}", b"}}"),
    (b"}", b""),
    (b'{"InvoiceNo":', b'[{"InvoiceNo":'),
    (b'{"InvoiceNo":', b'"InvoiceNo":'),
    (b'"Quantity":6,"UnitPrice":"2.55"', b'"UnitPrice":"2.55","Quantity":6'),
)


def client_text(line: Line) -> bytes:
    values = line.model_dump(mode="json")
    ordered = {name: values[name] for name in json.loads(CLIENT_ROW)}
    return json.dumps(ordered, separators=(",", ":"), ensure_ascii=False).encode()


def staged(texts: Sequence[bytes], folder: Path) -> tuple[set[LakeLine], int]:
    """The lines that the batch `one` with these rows becomes, and how many rows are rejected."""
    found: set[LakeLine] = set()
    with Staging() as staging:
        staging.add_batch("one", texts)
        for month in staging.months():
            staging.unite(month, [], folder / "month.parquet")
            relation = duckdb.connect().read_parquet(str(folder / "month.parquet"))
            rows = [LakeLine(*row) for row in relation.fetchall()]
            found.update(each._replace(InvoiceDate=each.InvoiceDate.astimezone(UTC)) for each in rows)
        return found, staging.rejected


def in_lake(line: Line, line_number: int = 1) -> LakeLine:
    date = datetime.fromisoformat(line.InvoiceDate.removesuffix("Z") + "+00:00")
    return LakeLine(
        InvoiceNo=line.InvoiceNo,
        StockCode=line.StockCode,
        Description=line.Description,
        Quantity=line.Quantity,
        InvoiceDate=date,
        IsUtc=line.InvoiceDate.endswith("Z"),
        UnitPrice=line.UnitPrice,
        Amount=line.Quantity * Decimal(line.UnitPrice),
        CustomerID=line.CustomerID,
        Country=line.Country,
        Occurrence=line.Occurrence,
        LineId=None if line.Occurrence else line_id(line, "one", line_number),
    )


def test_each_row_becomes_the_line_that_the_parser_reads(tmp_path: Path) -> None:
    """Whatever the row looks like; where the parser rejects it, no line. The country says which row it was."""
    rows = [CLIENT_ROW.replace(b"United Kingdom", b"%d" % place) for place in range(len(CHANGES))]
    texts = [text.replace(old, new, 1) for text, (old, new) in zip(rows, CHANGES, strict=True)]
    parsed = read_rows(texts)
    assert set(rows).isdisjoint(texts)
    assert staged(texts, tmp_path) == ({in_lake(line) for line in parsed.lines}, parsed.rejected)


@pytest.mark.slow
@settings(max_examples=10)
@given(batch=st.lists(lines(st.integers(1, 3)), max_size=100))
def test_any_lines_that_a_client_sends_are_staged(batch: list[Line], tmp_path_factory: pytest.TempPathFactory) -> None:
    texts = [client_text(line) for line in batch]
    assert staged(texts, tmp_path_factory.mktemp("staged")) == ({in_lake(line) for line in batch}, 0)


def test_a_data_file_that_is_older_than_a_column_has_sums(tmp_path: Path) -> None:
    """An erasure keeps such a file's columns."""
    relation = duckdb.from_query(OLDER_LINE)
    assert relation
    relation.select(*LakeLine._fields[:-2]).write_parquet(str(tmp_path / "old.parquet"))
    with Staging() as staging:
        assert staging.totals([tmp_path / "old.parquet"]) == [
            DayTotals("2010-12-01", "United Kingdom", 1, "6", "15.300000")
        ]


def test_sums_are_by_the_day_on_the_wall_clock_also_before_1970(tmp_path: Path) -> None:
    dates = (b"1969-12-30T23:59:59", b"1969-12-31T00:00:00Z")
    with Staging() as staging:
        staging.add_batch("one", [CLIENT_ROW.replace(b"2010-12-01T08:26:00", date) for date in dates])
        assert staging.months() == ["1969-12"]
        staging.unite("1969-12", [], tmp_path / "new.parquet")
        assert [each.day for each in staging.totals([tmp_path / "new.parquet"])] == ["1969-12-30", "1969-12-31"]


def test_a_month_with_old_repeated_and_new_lines_is_their_set(tmp_path: Path) -> None:
    """Lines that are all new take a shorter way than these."""
    first, second, third = (CLIENT_ROW.replace(b'"536365"', b'"%d"' % number) for number in range(3))
    files: list[Path] = []
    rows: list[int | None] = []
    for texts in ([first], [first, first, second], [third], [first, third]):
        new = tmp_path / f"{len(rows)}.parquet"
        with Staging() as staging:
            staging.add_batch("one", texts)
            assert staging.months() == ["2010-12"]
            united = staging.unite("2010-12", files, new)
            rows.append(united.rows if united else None)
            files += [new] if united else []
    assert rows == [1, 1, 1, None]


@pytest.mark.parametrize("files", [1, MOST_FILES - 1, MOST_FILES])
def test_a_month_is_written_again_when_it_has_many_files(tmp_path: Path, files: int) -> None:
    old: list[Path] = []
    for number in range(files):
        old.append(tmp_path / f"{number}.parquet")
        with Staging() as staging:
            staging.add_batch("one", [CLIENT_ROW.replace(b'"536365"', b'"%d"' % number)])
            staging.months()
            staging.unite("2010-12", [], old[-1])
    with Staging() as staging:
        staging.add_batch("one", [CLIENT_ROW])
        staging.months()
        is_full = files == MOST_FILES
        united = staging.unite("2010-12", old, tmp_path / "new.parquet")
        assert united == United(files + 1 if is_full else 1, replaces_old=is_full)


@pytest.mark.slow
def test_a_month_that_does_not_fit_into_memory_takes_a_new_line(tmp_path: Path) -> None:
    """A sort of all its lines would need more than a refresh has."""
    lines = 1_000_000
    changed = "replace(range::VARCHAR || 'A' AS InvoiceNo, 'A PRODUCT ' || (range % 4000) AS Description)"
    query = f"SELECT * {changed} FROM ({OLDER_LINE}), range({lines})"  # noqa: S608 - constants
    duckdb.sql(f"COPY (SELECT * EXCLUDE (range) FROM ({query})) TO '{tmp_path / 'old.parquet'}'")  # noqa: S608 - same
    with Staging("120MB") as staging:
        staging.add_batch("one", [CLIENT_ROW])
        assert staging.months() == ["2010-12"]
        united = staging.unite("2010-12", [tmp_path / "old.parquet"], tmp_path / "new.parquet", most_files=1)
        assert united == United(lines + 1, replaces_old=True)


def test_rows_without_occurrence_keep_their_numbers_beside_others(tmp_path: Path) -> None:
    """The number counts equal rows of the whole batch, although DuckDB has read some of them."""
    unnumbered = CLIENT_ROW.replace(b',"Occurrence":1', b"")
    line = read_rows([unnumbered]).lines[0]
    expected = {in_lake(line, 1), in_lake(line, 2), in_lake(read_rows([CLIENT_ROW]).lines[0])}
    assert staged([unnumbered, CLIENT_ROW, unnumbered], tmp_path) == (expected, 0)


def test_the_parser_reads_none_of_the_clients_plain_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DuckDB costs a quarter as much; so a change of what the client writes must be seen here."""
    parsed: list[bytes] = []

    def recording(texts: Sequence[bytes]) -> Rows:
        parsed.extend(texts)
        return read_rows(texts)

    monkeypatch.setattr(staging_module, "read_rows", recording)
    write_sample(tmp_path / "rows.csv", 1_000)
    batches = list(posted_batches(tmp_path / "rows.csv", 500))
    texts = [text for batch in batches for text in unpack(batch.body, MAX_BODY_BYTES).splitlines()]
    staged(texts, tmp_path)
    assert (len(texts) > 900, [text for text in parsed if text.isascii() and b"\\" not in text]) == (True, [])
