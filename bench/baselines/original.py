"""The design that this pipeline replaces: a request, a Lambda run, a record and two updates for each row.

Behind a REST API; an invoice is one item with an attribute for each stock code, a customer one with an attribute an
invoice, and an update pays for the whole item. It was repaired where it lost rows, and got full batches, which is
generous: the original returns inside its loop and fails at a row without a customer.
"""

from collections import Counter, defaultdict

from bench.counts import Counts
from bench.designs import API, TO_DYNAMODB, TO_S3, Design

DESIGN = Design("original", "REST API", {API: 128, TO_S3: 128, TO_DYNAMODB: 128})

_ROWS = 42_481

COUNTS = Counts(
    rows=_ROWS,
    requests=_ROWS,
    gateway_units=_ROWS,
    calls=Counter(PutRecord=_ROWS, PutObject=425, UpdateItem=69_331),
    records=_ROWS,
    stream_bytes=9_819_621,
    stream_kib=_ROWS,
    payload_units=_ROWS,
    object_bytes=9_606_063,
    write_units=691_224,
    items=2_973,
    item_bytes=7_732_974,
    answer_bytes=637_215,
    invocations=Counter({API: _ROWS, TO_S3: 425, TO_DYNAMODB: 425}),
    calls_by_function={
        API: Counter(PutRecord=_ROWS),
        TO_S3: Counter(PutObject=425),
        TO_DYNAMODB: Counter(UpdateItem=69_331),
    },
    cpu_seconds=defaultdict(float, {TO_DYNAMODB: _ROWS / 1_372}),
)
"""Counted once, with the real December 2010: the calls of its handlers, handed to the counter without botocore.

The CPU time is that of 2026-11-22, of all functions together. It enters the price, and is no figure of this machine.
"""
