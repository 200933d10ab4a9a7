"""A set of lines on its way into the lake, in DuckDB: rows of batches go in, and data files of months come out.

Most rows come from this project's client, which writes each value in its normal form and the fields in one order.
DuckDB reads such rows as columns, at a quarter of what the pipeline's parser costs. The parser reads all others.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Self

import duckdb
from arro3.core import Array, DataType, RecordBatch, Table

from aws.totals import DayTotals
from consumers.lake.table import COLUMNS, DUCKDB_TYPES
from invoices.line import Line, line_id, numbers_in_batch
from invoices.normal_forms import ID_PATTERN, OCCURRENCE_BOUND, PRICE_PATTERN, QUANTITY_BOUND
from invoices.rows import read_rows

MEMORY_LIMIT: Final = "400MB"
"""What DuckDB may hold in memory; the rest it keeps on the disk."""

_THREADS = 1  # the function has one processor, and two threads need a tenth more CPU time
_ROWS_PER_INSERT = 50_000  # an insert of few rows costs twice as much for each
_NAMES = ", ".join(COLUMNS)
_STAGED = ", ".join(f"{name} {kind}" for name, kind in DUCKDB_TYPES.items())
MOST_FILES: Final = 8
"""Data files of a month. A refresh that would make one more writes the whole month again, as one file."""

MOST_SORTED: Final = 500_000
"""Old lines that are sorted again together with new ones. More do not fit into MEMORY_LIMIT, so they keep their places,
and the new ones, sorted, stand beside them: a refresh then needs the same memory for any number of lines.
"""
# Neighbours in this order are alike, equal amounts too: docs/decisions.md has the figures.
FILE_ORDER = "StockCode, UnitPrice, Quantity, InvoiceDate, InvoiceNo, Occurrence"
FILE_FORMAT = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3, WRITE_BLOOM_FILTER false"
"""Bloom filters would take 0.6 bytes a row, and a month has few row groups that they could rule out."""
_STATEMENT = ("StatedAt", "Withdrawn")
_IDENTITY = [name for name in COLUMNS if name not in _STATEMENT]
_HASH = "hash(InvoiceNo, StockCode, Quantity, InvoiceDate, UnitPrice, Occurrence, LineId)"  # seldom equal for two lines
_SAME = " AND ".join(f"fresh.{name} IS NOT DISTINCT FROM old.{name}" for name in _IDENTITY)
# As in invoices.line.statement_strength: the later instant, none being the weakest, and then the withdrawal.
_STRENGTH = "coalesce(epoch_us({0}.StatedAt), -9e17::BIGINT) * 2 + coalesce({0}.Withdrawn::INTEGER, 0)"
_IS_AS_STRONG = f"{_STRENGTH.format('old')} >= {_STRENGTH.format('fresh')}"
_STRONGEST = f"""
    QUALIFY row_number() OVER (PARTITION BY {", ".join(_IDENTITY)} ORDER BY {_STRENGTH.format("staged")} DESC) = 1
"""
_AS_COLUMNS = """
    SELECT
        InvoiceNo, StockCode, Description, Quantity,
        make_timestamptz(epoch_us(moment)) AS InvoiceDate,
        ends_with(InvoiceDate, 'Z') AS IsUtc,
        UnitPrice::DECIMAL(15,6) AS UnitPrice,
        (Quantity * UnitPrice::DECIMAL(24,6))::DECIMAL(24,6) AS Amount,
        CustomerID, Country, Occurrence, LineId,
        left(InvoiceDate, 7) AS month
"""
_TOTALS = """
    SELECT strftime(day, '%Y-%m-%d'), Country, count(*), sum(Quantity)::VARCHAR, sum(Amount)::VARCHAR
    FROM (SELECT *, make_timestamp(epoch_us(InvoiceDate))::DATE AS day FROM ({lines}) WHERE Withdrawn IS NULL)
    GROUP BY day, Country ORDER BY day, Country
"""


@dataclass(frozen=True, slots=True)
class United:
    """A new data file. `replaces_old` says that it holds all lines of the month; else it holds new ones alone."""

    rows: int
    replaces_old: bool


class Staging:
    """Use it inside `with`: it keeps what is too much for memory in files.

    `rows` counts what was added. `rejected` counts those of them that are invalid, and is complete after `months`.
    """

    def __init__(self, memory_limit: str = MEMORY_LIMIT) -> None:
        self._folder = TemporaryDirectory(prefix="lake-")
        self._db = duckdb.connect(
            config={
                "memory_limit": memory_limit,
                "threads": _THREADS,
                "temp_directory": str(self.folder / "spilled"),
                "preserve_insertion_order": False,
            }
        )
        self._db.execute("SET TimeZone = 'UTC'")  # or a day would depend on where this runs
        self._db.execute("SET enable_progress_bar = false")  # standard output is the log, whose lines are JSON
        self._db.execute(f"CREATE TABLE staged ({_STAGED}, month VARCHAR)")
        self._waiting: list[tuple[str, Sequence[bytes]]] = []
        self._rows_waiting = 0
        self.rows = 0
        self.rejected = 0

    @property
    def folder(self) -> Path:
        return Path(self._folder.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()
        self._folder.cleanup()

    def add_batch(self, batch_id: str, texts: Sequence[bytes]) -> None:
        """Stage all rows of a batch, each a JSON text."""
        self._waiting.append((batch_id, texts))
        self.rows += len(texts)
        self._rows_waiting += len(texts)
        if self._rows_waiting >= _ROWS_PER_INSERT:
            self._insert()

    def add_rows(self, batch_id: str, texts: Sequence[bytes], numbers: Sequence[int]) -> None:
        """Stage some rows of a batch. `numbers` are those that they have in the whole batch, as in line_id."""
        rows = read_rows(texts)
        self.rows += len(texts)
        self.rejected += rows.rejected
        self._insert_lines(rows.lines, _line_ids(rows.lines, batch_id, [numbers[place] for place in rows.indexes]))

    def months(self) -> list[str]:
        """The months that the staged lines touch."""
        self._insert()
        return [month for (month,) in self._db.execute("SELECT DISTINCT month FROM staged ORDER BY month").fetchall()]

    def unite(self, month: str, old: Sequence[Path], into: Path, most_files: int = MOST_FILES) -> United | None:
        """Write the staged lines of a month that its data files `old` do not have, each once.

        The old lines are written with them where a statement may replace one of them, and where there are
        `most_files` old files. Of several statements about a line the one that holds is written, also if it is a
        withdrawal. None, and no file, where all that holds is among the old lines. Those are there once each: this
        method wrote them.
        """
        has_statements = self._has_statements(month)
        replaces_old = has_statements or len(old) >= most_files
        with self._fresh_lines(month, old, has_statements=has_statements) as fresh:
            if not fresh:
                return None
            source = f"SELECT {_NAMES} FROM fresh ORDER BY {FILE_ORDER}"
            if old and replaces_old:
                replaced = f" AS old ANTI JOIN fresh ON {_SAME}" if has_statements else ""
                kept = f"SELECT {_NAMES} FROM ({self._lines(old)}){replaced} UNION ALL"
                source = f"{kept} {source}" if self._count(old) <= MOST_SORTED else f"{kept} FROM ({source})"
            self._db.execute(f"COPY ({source}) TO '{into}' ({FILE_FORMAT})")
        return United(self._count([into]), replaces_old)

    def totals(self, files: Sequence[Path]) -> list[DayTotals]:
        """The sums of all lines in some data files, by day and country."""
        query = _TOTALS.format(lines=self._lines(files))
        return [DayTotals(*row) for row in self._db.execute(query).fetchall()]

    def customers(self, files: Sequence[Path]) -> list[str]:
        """Whose lines are in some data files."""
        if not files:
            return []
        query = f"SELECT DISTINCT CustomerID FROM {read_files(files)} WHERE CustomerID IS NOT NULL"
        return [customer for (customer,) in self._db.execute(query).fetchall()]

    def _count(self, files: Sequence[Path]) -> int:
        return int(self._db.execute(f"SELECT count(*) FROM {read_files(files)}").fetchall()[0][0])

    def _has_statements(self, month: str) -> bool:
        """Without them each staged row is new or equal to an old one, which costs less to find out."""
        query = "SELECT count(*) FROM staged WHERE month = ? AND (StatedAt IS NOT NULL OR Withdrawn)"
        return bool(self._db.execute(query, [month]).fetchall()[0][0])

    @contextmanager
    def _fresh_lines(self, month: str, old: Sequence[Path], *, has_statements: bool) -> Iterator[int]:
        """Make the relation `fresh` of the staged lines that are to be written, and yield how many there are."""
        if has_statements or not self._is_all_new(month, old):
            distinct = f"SELECT DISTINCT {_NAMES} FROM staged WHERE month = ?{_STRONGEST if has_statements else ''}"
            unseen = f" AS fresh ANTI JOIN ({self._lines(old)}) AS old ON {_SAME} AND {_IS_AS_STRONG}" if old else ""
            self._db.execute(f"CREATE TABLE fresh AS SELECT * FROM ({distinct}){unseen}", [month])
            kind = "TABLE"
        else:
            self._db.execute(f"CREATE VIEW fresh AS SELECT {_NAMES} FROM staged WHERE month = '{month}'")
            kind = "VIEW"
        try:
            (count,) = self._db.execute("SELECT count(*) FROM fresh").fetchall()[0]
            yield int(count)
        finally:
            self._db.execute(f"DROP {kind} fresh")

    def _is_all_new(self, month: str, old: Sequence[Path]) -> bool:
        """Whether no two staged lines of the month, and no staged and old one, have the same hash, and so can be equal.

        That is so for most refreshes, and costs a third of comparing the lines themselves.
        """
        staged = f"SELECT {_HASH} AS hash FROM staged WHERE month = ?"
        (repeats,) = self._db.execute(f"SELECT count(*) - count(DISTINCT hash) FROM ({staged})", [month]).fetchall()[0]
        if repeats or not old:
            return not repeats
        there = f"SELECT {_HASH} AS hash FROM ({self._lines(old)})"
        known = f"SELECT count(*) FROM ({there}) SEMI JOIN ({staged}) USING (hash)"
        return not self._db.execute(known, [month]).fetchall()[0][0]

    def _lines(self, files: Sequence[Path]) -> str:
        """A query of all lines in some data files. They may have been written before a column was added."""
        described = self._db.execute(f"DESCRIBE SELECT * FROM {read_files(files)}").fetchall()
        there = {name for name, *_ in described}
        columns = [name if name in there else f"NULL::{kind} AS {name}" for name, kind in DUCKDB_TYPES.items()]
        return f"SELECT {', '.join(columns)} FROM {read_files(files)}"

    def _insert(self) -> None:
        """Numbers in a batch count rows without Occurrence, so leaving out rows that have one changes no number."""
        others = self._insert_client_rows([text for _, texts in self._waiting for text in texts])
        lines: list[Line] = []
        line_ids: list[str | None] = []
        first = 0
        for batch_id, texts in self._waiting:
            rows = read_rows([text for place, text in enumerate(texts, first) if place in others])
            first += len(texts)
            self.rejected += rows.rejected
            lines += rows.lines
            line_ids += _line_ids(rows.lines, batch_id, numbers_in_batch(rows.lines))
        self._waiting, self._rows_waiting = [], 0
        self._insert_lines(lines, line_ids)

    def _insert_client_rows(self, texts: Sequence[bytes]) -> set[int]:
        """Insert the rows that DuckDB can read, and return the places of all others."""
        plain = [
            place for place, text in enumerate(texts) if text.isascii() and _ESCAPE not in text and _DEL not in text
        ]
        others = set(range(len(texts))).difference(plain)
        if not plain:
            return others
        rows = Array([texts[place] for place in plain], DataType.binary()).cast(DataType.utf8())
        self._db.register("chunk", Table.from_pydict({"place": Array(plain, DataType.int32()), "text": rows}))
        insert = f"INSERT INTO staged BY NAME {_AS_COLUMNS} FROM ({_PARSED}) WHERE {_IS_CLIENT_ROW}"
        (inserted,) = self._db.execute(insert).fetchall()[0]
        if inserted < len(plain):
            refused = f"SELECT place FROM ({_PARSED}) WHERE ({_IS_CLIENT_ROW}) IS NOT TRUE"
            others.update(place for (place,) in self._db.execute(refused).fetchall())
        self._db.unregister("chunk")
        return others

    def _insert_lines(self, lines: Sequence[Line], line_ids: Sequence[str | None]) -> None:
        if not lines:
            return
        self._db.register("chunk", Table.from_batches([_arrow(lines, line_ids)]))
        read = "SELECT *, rtrim(InvoiceDate, 'Z')::TIMESTAMP AS moment FROM chunk"
        self._db.execute(
            f"INSERT INTO staged BY NAME {_AS_COLUMNS}, StatedAt::TIMESTAMPTZ AS StatedAt, Withdrawn FROM ({read})"
        )
        self._db.unregister("chunk")


def read_files(files: Sequence[Path]) -> str:
    """Data files as a table of SQL. With `hive_partitioning` each folder that is named like a column would add one."""
    listed = ", ".join(f"'{file}'" for file in files)
    return f"read_parquet([{listed}], union_by_name = true, hive_partitioning = false)"


def _line_ids(lines: Sequence[Line], batch_id: str, numbers: Sequence[int]) -> list[str | None]:
    """None for each line with an Occurrence: its content identifies it."""
    return [
        None if line.Occurrence else line_id(line, batch_id, number)
        for line, number in zip(lines, numbers, strict=True)
    ]


def _arrow(lines: Sequence[Line], line_ids: Sequence[str | None]) -> RecordBatch:
    text, number = DataType.utf8(), DataType.int32()
    columns: Mapping[str, tuple[Sequence[object], DataType]] = {
        "InvoiceNo": ([line.InvoiceNo for line in lines], text),
        "StockCode": ([line.StockCode for line in lines], text),
        "Description": ([line.Description for line in lines], text),
        "Quantity": ([line.Quantity for line in lines], number),
        "InvoiceDate": ([line.InvoiceDate for line in lines], text),
        "UnitPrice": ([format(line.UnitPrice, "f") for line in lines], text),
        "CustomerID": ([line.CustomerID for line in lines], text),
        "Country": ([line.Country for line in lines], text),
        "Occurrence": ([line.Occurrence for line in lines], number),
        "LineId": (line_ids, text),
        "StatedAt": ([line.AsOf for line in lines], text),
        "Withdrawn": ([line.Withdrawn or None for line in lines], DataType.bool()),
    }
    return RecordBatch.from_pydict({name: Array(values, kind) for name, (values, kind) in columns.items()})


# Rows that DuckDB reads. Its JSON reader takes more than JSON, such as a comma behind the last field. So a row counts
# only if its text is, byte for byte, what the client writes for the values that were read: then no other field and no
# other syntax is in it. Texts with escapes are left to the parser, and those with DEL, which no field allows.

_DEL, _ESCAPE = b"\x7f", b"\\"
_STRUCTURE = (
    '{"InvoiceNo":"VARCHAR","StockCode":"VARCHAR","Description":"VARCHAR","Quantity":"INTEGER","InvoiceDate":"VARCHAR",'
    '"UnitPrice":"VARCHAR","CustomerID":"VARCHAR","Country":"VARCHAR","Occurrence":"INTEGER"}'
)
_EVERY_ROW = 10**9  # a limit that nothing reaches; without one DuckDB would read a text again for each use of a field
_PARSED = f"""
    SELECT
        place, NULL::VARCHAR AS LineId, fields.*,
        TRY_CAST(rtrim(fields.InvoiceDate, 'Z') AS TIMESTAMP) AS moment,
        text = concat(
            '{{"InvoiceNo":"', fields.InvoiceNo,
            '","InvoiceDate":"', fields.InvoiceDate,
            '","CustomerID":', coalesce('"' || fields.CustomerID || '"', 'null'),
            ',"Country":"', fields.Country,
            '","StockCode":"', fields.StockCode,
            '","Description":', coalesce('"' || fields.Description || '"', 'null'),
            ',"Quantity":', fields.Quantity,
            ',"UnitPrice":"', fields.UnitPrice,
            '","Occurrence":', fields.Occurrence,
            '}}'
        ) AS is_client_text
    FROM (SELECT text, place, TRY(json_transform(text, '{_STRUCTURE}')) AS fields FROM chunk)
    LIMIT {_EVERY_ROW}
"""
_ISO_SECONDS = "replace(moment::VARCHAR, ' ', 'T')"
_IS_CLIENT_ROW = f"""
    is_client_text
    AND regexp_full_match(InvoiceNo, '{ID_PATTERN}')
    AND (CustomerID IS NULL OR regexp_full_match(CustomerID, '{ID_PATTERN}'))
    AND regexp_full_match(UnitPrice, '{PRICE_PATTERN}')
    AND strlen(StockCode) BETWEEN 1 AND 60
    AND strlen(Country) BETWEEN 1 AND 60
    AND (Description IS NULL OR strlen(Description) BETWEEN 1 AND 500)
    AND abs(Quantity) < {QUANTITY_BOUND}
    AND Occurrence BETWEEN 1 AND {OCCURRENCE_BOUND} - 1
    AND InvoiceDate IN ({_ISO_SECONDS}, {_ISO_SECONDS} || 'Z')
    AND moment >= TIMESTAMP '0001-01-01'
"""
