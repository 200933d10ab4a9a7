"""The lake: what a refresh costs, what a row takes, and how fast the named questions are answered on this machine."""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from aws.clients import s3_client
from bench.findings import Finding
from bench.rows import grow, in_chunks, posted_batches
from consumers.lake.table import LakeTable
from invoices.batch import pack, unpack
from invoices.limits import MAX_BODY_BYTES
from local_runtime.engine import temporary_engine
from local_runtime.environment import aws_environment
from pipeline_ops.lake import open_lake
from pipeline_ops.query import named_questions

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ROWS = 541_909
"""As many as the Online Retail data set has."""

_ARCHIVE, _LAKE = "archive", "lake-of-the-bench"
_PIECES = 11
_TURNS = 7
_MOST_BYTES, _MOST_MEGABYTES, _MOST_MILLISECONDS = 9.0, 700, 100
_MOST_MICROS_IN_ORDER, _MOST_MICROS_SHUFFLED = 10, 20

# A process of its own, so that its memory is a refresh's alone. VmHWM begins anew with it; getrusage's peak does not.
_REFRESH = """
import json, sys, time
from pathlib import Path
from aws.clients import s3_client
from aws.totals import TotalsStore
from consumers.lake.refresh import Refresh
from consumers.lake.table import LakeTable

archive, lake = sys.argv[1:3]
refresh = Refresh(s3_client(), archive, LakeTable(s3_client(), lake), TotalsStore(s3_client(), lake))
started = time.process_time()
done = refresh.add(json.load(sys.stdin))
seconds = time.process_time() - started
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(json.dumps([done.rows, seconds, int(peak.split()[1]) // 1024, done.version]))
"""


@dataclass(frozen=True, slots=True)
class _Refreshed:
    rows: int
    seconds: float
    megabytes: int
    version: int | None

    @property
    def microseconds(self) -> float:
        return self.seconds / self.rows * 1_000_000


def lake_findings(csv: Path, rows: int = ROWS) -> list[Finding]:
    with tempfile.TemporaryDirectory() as folder, temporary_engine() as engine:
        os.environ.update(aws_environment(engine.endpoint))
        s3 = s3_client()
        bodies = [batch.body for batch in posted_batches(grow(csv, rows, Path(folder) / "rows.csv"), 5_000)]
        for bucket in (_ARCHIVE, _LAKE, f"{_LAKE}-shuffled", f"{_LAKE}-file"):
            s3.create_bucket(Bucket=bucket)
        keys = _archive(s3, "in-order", bodies)
        first = _refresh(_LAKE, keys)
        texts = [line for body in bodies for line in unpack(body, MAX_BODY_BYTES).splitlines()]
        random.Random(13).shuffle(texts)  # noqa: S311 - no secret
        shuffled = _archive(s3, "shuffled", [pack(b"\n".join(chunk)) for chunk in in_chunks(texts, 5_000)])
        again = _refresh(_LAKE, shuffled)
        pieces = [_refresh(f"{_LAKE}-shuffled", shuffled[start::_PIECES]) for start in range(_PIECES)]
        own = [batch.body for batch in posted_batches(csv, 5_000)]
        file = _refresh(f"{_LAKE}-file", _archive(s3, "file", own))
        return [
            _limit("lake, CPU us a row, in order", first.microseconds, _MOST_MICROS_IN_ORDER, f"{first.rows:,} rows"),
            _limit(
                f"lake, CPU us a row, shuffled in {_PIECES} pieces",
                sum(piece.seconds for piece in pieces) / sum(piece.rows for piece in pieces) * 1_000_000,
                _MOST_MICROS_SHUFFLED,
            ),
            _limit("lake, peak memory of a refresh, MB", first.megabytes, _MOST_MEGABYTES),
            _limit("lake, bytes a row", _bytes_a_row(s3), _MOST_BYTES, _archived(own, file.rows)),
            Finding("lake, versions written by a re-send", "0", str(int(again.version is not None)), not again.version),
            *_question_findings(s3, Path(folder) / "cache"),
        ]


def _archive(s3: "S3Client", name: str, bodies: Sequence[bytes]) -> list[str]:
    keys = [f"raw/dt=1970-01-01/hour=00/{name}-{number}.ndjson.gz" for number in range(len(bodies))]
    for key, body in zip(keys, bodies, strict=True):
        s3.put_object(Bucket=_ARCHIVE, Key=key, Body=body)
    return keys


def _refresh(lake: str, keys: Sequence[str]) -> _Refreshed:
    command = [sys.executable, "-c", _REFRESH, _ARCHIVE, lake]
    done = subprocess.run(command, input=json.dumps(keys), check=True, capture_output=True, text=True)  # noqa: S603 - our own program
    return _Refreshed(*json.loads(done.stdout))


def _bytes_a_row(s3: "S3Client") -> float:
    """Of the file's own rows: copies of a file, with other invoices, would compress to a third of that."""
    files = LakeTable(s3, f"{_LAKE}-file").snapshot().files.values()
    return sum(file.size for file in files) / sum(file.rows for file in files)


def _archived(bodies: Sequence[bytes], rows: int) -> str:
    return f"{rows:,} rows, which take {sum(map(len, bodies)) / rows:.1f} in the archive"


def _question_findings(s3: "S3Client", cache: Path) -> Iterator[Finding]:
    with open_lake(LakeTable(s3, _LAKE), cache) as lake:
        for name, (_, sql) in named_questions().items():
            seconds = []
            for _ in range(_TURNS):
                started = time.perf_counter()
                lake.execute(sql).fetchall()
                seconds.append(time.perf_counter() - started)
            yield _limit(f"lake, question {name}, ms", median(seconds) * 1000, _MOST_MILLISECONDS, "wall clock, warm")


def _limit(what: str, measured: float, most: float, note: str = "") -> Finding:
    return Finding(what, f"<= {most:g}", f"{measured:.1f}", measured <= most, note)
