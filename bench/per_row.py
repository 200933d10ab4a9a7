"""What one row uses on average: counted, and Lambda's time computed from it as the bill computes it."""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from bench.counts import Counts
from bench.flows import API, TO_DYNAMODB, our_counts
from bench.prices import Assumed
from bench.rows import sent_batches
from invoices.batch import pack, unpack
from invoices.limits import MAX_BODY_BYTES
from local_runtime.sample import write_sample

# CPU of a row in a full batch: stated, above what a quiet machine measures, so that the page is the same on every one.
API_CPU_MICROSECONDS = 5.0
TO_DYNAMODB_CPU_MICROSECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Work:
    """A row's share of a function's work, and what that takes of Lambda's time."""

    cpu_microseconds: float
    calls: float
    cpu_factor: float
    microseconds_per_call: float

    @property
    def computing(self) -> float:
        return self.cpu_microseconds * self.cpu_factor

    @property
    def waiting(self) -> float:
        return self.calls * self.microseconds_per_call

    @property
    def microseconds(self) -> float:
        """To a tenth, which is what the page shows and goes on reckoning with."""
        return round(self.computing + self.waiting, 1)

    @property
    def seconds(self) -> float:
        return self.microseconds / 1e6


@dataclass(frozen=True, slots=True)
class PerRow:
    """`batch_rows` is what was asked of the client, `rows_per_request` what came of it: it cuts between invoices."""

    batch_rows: int
    rows_per_request: float
    stream_bytes: float
    write_units: float
    api: Work
    to_dynamodb: Work
    counted_rows: int


def per_row(counts: Counts, batch_rows: int, assumed: Assumed) -> PerRow:
    return PerRow(
        batch_rows=batch_rows,
        rows_per_request=round(counts.rows / counts.requests),
        stream_bytes=round(counts.stream_bytes / counts.rows),
        write_units=round(counts.write_units / counts.rows, 3),
        api=_work(counts, API, API_CPU_MICROSECONDS, assumed),
        to_dynamodb=_work(counts, TO_DYNAMODB, TO_DYNAMODB_CPU_MICROSECONDS, assumed),
        counted_rows=counts.rows,
    )


def generated_rows(batch_rows: int, assumed: Assumed) -> PerRow:
    """Counted from the project's own sample; its last request, a rest, is left out.

    Compressed by zlib, which writes the same everywhere: the client's library writes some 6 % fewer bytes, and how
    many hangs on the processor.
    """
    with tempfile.TemporaryDirectory() as folder:
        csv = Path(folder) / "sample.csv"
        write_sample(csv)
        full = [replace(batch, body=_by_zlib(batch.body)) for batch in list(sent_batches(csv, batch_rows))[:-1]]
        return per_row(our_counts(full), batch_rows, assumed)


def _by_zlib(body: bytes) -> bytes:
    return pack(unpack(body, MAX_BODY_BYTES))


def _work(counts: Counts, function: str, cpu_microseconds: float, assumed: Assumed) -> Work:
    calls = round(counts.calls_by_function[function].total() / counts.rows, 5)
    return Work(cpu_microseconds, calls, assumed.lambda_cpu_factor, assumed.seconds_per_call * 1e6)
