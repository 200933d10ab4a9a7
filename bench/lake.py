"""The lake: what a refresh costs, what it needs as a month grows, what a row takes, and how fast questions are."""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from acceptance.wire_recorder import wire_recorder
from aws.clients import s3_client
from bench.bill import dollars, read_prices
from bench.findings import Finding, at_most, figure
from bench.lake_bill import LakeUse, idle_lake_cost, lake_cost
from bench.questions import question_findings
from bench.rows import grow, in_chunks, posted_batches
from consumers.lake.staging import FILE_FORMAT, FILE_ORDER, MOST_FILES
from consumers.lake.table import LakeTable, MonthFile
from invoices.batch import pack, unpack
from invoices.limits import MAX_BODY_BYTES
from local_runtime.engine import temporary_engine
from local_runtime.environment import aws_environment
from pipeline_ops.lake import open_lake

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ROWS = 541_909
"""As many as the Online Retail data set has."""

MONTHS = (500_000, 2_000_000, 5_000_000)
"""Lines in a month to which one batch is added."""

_ARCHIVE, _LAKE, _SHUFFLED, _FILE = "archive", "lake-in-order", "lake-shuffled", "lake-of-the-file"
_BATCH_ROWS = 5_000
_PIECES = 11
_MOST_BYTES, _MOST_MEGABYTES, _MOST_DOLLARS = 9.0, 700, 0.002
_MOST_MICROS_IN_ORDER, _MOST_MICROS_SHUFFLED = 10, 20
_WORTH_NAMING = 0.001  # dollars
_LOOK_SECONDS = 0.02

# A process of its own, so that its memory is a refresh's alone. VmHWM begins anew with it; getrusage's peak does not.
_REFRESH = """
import json, sys, time
from pathlib import Path
from aws.clients import s3_client
from aws.totals import TotalsStore
from consumers.lake.refresh import Refresh
from consumers.lake.table import LakeTable

archive, lake, keys = sys.argv[1:]
refresh = Refresh(s3_client(), archive, LakeTable(s3_client(), lake), TotalsStore(s3_client(), lake))
started = time.process_time()
done = refresh.add(json.loads(keys))
seconds = time.process_time() - started
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(json.dumps([done.rows, seconds, int(peak.split()[1]) // 1024, done.version]))
"""

# A data file with so many lines of a month: another file's own again and again, each time with other invoices.
_COPIES = """
    COPY (
        FROM (
            SELECT * EXCLUDE (copy) REPLACE (InvoiceNo || copy || 'F{number}' AS InvoiceNo)
            FROM read_parquet('{old}'), range({times}) AS copies(copy) LIMIT {lines}
        )
        ORDER BY {order}
    ) TO '{new}' ({form})
"""


@dataclass(frozen=True, slots=True)
class _Refreshed:
    """`disk` is the most that lay in temporary files; like `memory` it is in MB."""

    rows: int
    seconds: float
    memory: int
    version: int | None
    disk: int
    calls: Mapping[str, int]

    @property
    def microseconds(self) -> float:
        return self.seconds / self.rows * 1_000_000


def lake_findings(csv: Path, rows: int = ROWS, months: Sequence[int] = MONTHS) -> list[Finding]:
    with tempfile.TemporaryDirectory() as temporary, temporary_engine() as engine:
        os.environ.update(aws_environment(engine.endpoint))
        folder, s3 = Path(temporary), s3_client()
        for bucket in (_ARCHIVE, _LAKE, _SHUFFLED, _FILE):
            s3.create_bucket(Bucket=bucket)
        bodies = [batch.body for batch in posted_batches(grow(csv, rows, folder / "rows.csv"), _BATCH_ROWS)]
        (folder / "raw").mkdir()
        for number, body in enumerate(bodies):
            (folder / "raw" / f"{number}.ndjson.gz").write_bytes(body)
        findings = [*_refresh_findings(s3, bodies), *_file_findings(s3, csv), *_growth_findings(s3, months)]
        with open_lake(LakeTable(s3, _LAKE), folder / "cache") as lake:
            return [*findings, *question_findings(lake, folder / "raw")]


def _refresh_findings(s3: "S3Client", bodies: Sequence[bytes]) -> Iterator[Finding]:
    keys = _archive(s3, "in-order", bodies)
    first = _refresh(_LAKE, keys)
    texts = [line for body in bodies for line in unpack(body, MAX_BODY_BYTES).splitlines()]
    random.Random(13).shuffle(texts)  # noqa: S311 - no secret
    shuffled = _archive(s3, "shuffled", [pack(b"\n".join(chunk)) for chunk in in_chunks(texts, _BATCH_ROWS)])
    again = _refresh(_LAKE, shuffled)
    pieces = [_refresh(_SHUFFLED, shuffled[start::_PIECES]) for start in range(_PIECES)]
    by_piece = sum(piece.seconds for piece in pieces) / sum(piece.rows for piece in pieces) * 1_000_000
    yield at_most(
        "lake, CPU us a row, in order", first.microseconds, _MOST_MICROS_IN_ORDER, note=f"{first.rows:,} rows"
    )
    yield at_most(f"lake, CPU us a row, shuffled in {_PIECES} pieces", by_piece, _MOST_MICROS_SHUFFLED)
    yield at_most(
        "lake, peak memory of a refresh, MB", first.memory, _MOST_MEGABYTES, note=f"{first.disk} MB on the disk"
    )
    yield Finding("lake, versions written by a re-send", "0", str(int(again.version is not None)), not again.version)
    yield from _cost_findings(LakeUse(first.rows, len(keys), first.seconds, first.calls))


def _cost_findings(use: LakeUse) -> Iterator[Finding]:
    prices = read_prices()
    cost, idle = dollars(lake_cost(use, prices)) * 1e6 / use.rows, idle_lake_cost(prices)
    note = f"one refresh of {use.objects} objects: {sum(use.calls.values()):,} calls to S3, {use.seconds:.1f} s of CPU"
    yield at_most("lake, dollars per million rows", cost, _MOST_DOLLARS, "{:.4f}", note)
    parts = ", ".join(f"{entry.what} {entry.dollars:.3f}" for entry in idle if entry.dollars >= _WORTH_NAMING)
    yield figure("lake, dollars a month without rows", f"{dollars(idle):.2f}", parts)


def _file_findings(s3: "S3Client", csv: Path) -> Iterator[Finding]:
    """The file's own rows: copies of a file, with other invoices, would compress to a third of that."""
    own = [batch.body for batch in posted_batches(csv, _BATCH_ROWS)]
    rows = _refresh(_FILE, _archive(s3, "file", own)).rows
    size = sum(file.size for file in LakeTable(s3, _FILE).snapshot().files) / rows
    archived = sum(map(len, own)) / rows
    yield at_most(
        "lake, bytes a row", size, _MOST_BYTES, note=f"{rows:,} rows, which take {archived:.1f} in the archive"
    )


def _growth_findings(s3: "S3Client", months: Sequence[int]) -> Iterator[Finding]:
    """A batch of new invoices in the largest month of the file, which holds more and more lines.

    Of eight such refreshes one writes the whole month again, and the others their new lines alone.
    """
    source = max(LakeTable(s3, _FILE).snapshot().files, key=lambda file: file.rows)
    body = s3.get_object(Bucket=_ARCHIVE, Key=_key("file", 0))["Body"].read()
    rows = [row for row in unpack(body, MAX_BODY_BYTES).splitlines() if f'Date":"{source.month}'.encode() in row]
    batch = b"\n".join(row.replace(b'"InvoiceNo":"', b'"InvoiceNo":"9', 1) for row in rows)
    (key,) = _archive(s3, "new", [pack(batch)])
    for lines, (files, how) in product(months, ((1, "beside them"), (MOST_FILES, "written again with them"))):
        lake = f"lake-of-{lines}-in-{files}"
        s3.create_bucket(Bucket=lake)
        _fill(s3, lake, source, lines // files, files)
        done = _refresh(lake, [key])
        what = f"lake, {len(rows):,} new rows in a month of {lines:,} lines, {how}"
        measured = f"{done.seconds:.1f} s of CPU, {done.memory} MB of memory, {done.disk} MB on the disk"
        yield figure(what, measured, f"{done.seconds / lines * 1e6:.1f} us for each line of the month")


def _fill(s3: "S3Client", lake: str, source: MonthFile, lines: int, files: int) -> None:
    """Write `files` data files with `lines` lines each, in one commit."""
    table = LakeTable(s3, lake)
    filled: list[MonthFile] = []
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as db:
        old, new = Path(folder, "old.parquet"), Path(folder, "new.parquet")
        old.write_bytes(LakeTable(s3, _FILE).read(source))
        copies = {"old": old, "new": new, "times": lines // source.rows + 1, "lines": lines}
        for number in range(files):
            db.execute(_COPIES.format(**copies, number=number, order=FILE_ORDER, form=FILE_FORMAT))
            path = f"month={source.month}/{number}.parquet"
            filled.append(MonthFile(source.month, path, lines, new.stat().st_size))
            table.write(filled[-1], new.read_bytes())
    table.commit(table.snapshot(), filled)


def _archive(s3: "S3Client", name: str, bodies: Sequence[bytes]) -> list[str]:
    keys = [_key(name, number) for number in range(len(bodies))]
    for key, body in zip(keys, bodies, strict=True):
        s3.put_object(Bucket=_ARCHIVE, Key=key, Body=body)
    return keys


def _key(name: str, number: int) -> str:
    return f"raw/dt=1970-01-01/hour=00/{name}-{number}.ndjson.gz"


def _refresh(lake: str, keys: Sequence[str]) -> _Refreshed:
    """Its calls go through a proxy that counts them, because deltalake makes its own."""
    command = [sys.executable, "-c", _REFRESH, _ARCHIVE, lake, json.dumps(keys)]
    disk = 0
    with tempfile.TemporaryDirectory() as folder, wire_recorder(os.environ["AWS_ENDPOINT_URL"]) as wire:
        environment = {**os.environ, "AWS_ENDPOINT_URL": wire.url, "TMPDIR": folder}
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own program
            while process.poll() is None:
                disk = max(disk, _megabytes(Path(folder)))
                time.sleep(_LOOK_SECONDS)
            printed, _ = process.communicate()
    rows, seconds, memory, version = json.loads(printed)
    return _Refreshed(rows, seconds, memory, version, disk, Counter(action for action, _ in wire.calls))


def _megabytes(folder: Path) -> int:
    """0 where a file has just been deleted."""
    with suppress(FileNotFoundError):
        return sum(path.stat().st_size for path in folder.rglob("*")) // 1_000_000
    return 0
