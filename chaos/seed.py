"""One seed: a file and some foreign records through the whole pipeline in its weather, and the accounting."""

import random
import tempfile
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from chaos.accounting.account import account
from chaos.accounting.evidence import Evidence
from chaos.accounting.objects import read_objects
from chaos.decisions import Decision
from chaos.foreign_producer import ForeignProducer
from chaos.logs import captured_logs
from chaos.pipeline import Pipeline
from chaos.shop import ShopRow, shop_rows
from chaos.stores import new_stores
from chaos.uploading import Uploaded, upload, write_rows
from chaos.weather import Weather, weather_of

_MOST_FOREIGN = 6
_SHARE_DELIVERED_ANEW = 0.4


@dataclass(frozen=True, slots=True)
class Result:
    """`findings` are the broken promises; the counts say how much was at stake."""

    seed: int
    severity: float
    findings: list[str]
    rows: int
    rejected: int
    lines: int
    batches: int
    foreign: int
    raw_objects: int
    set_aside: int
    crashes: int
    uploads: int
    decisions: list[Decision]
    faults: Counter[str]


def run_seed(seed: int, prefix: str = "chaos", weather: Weather | None = None) -> Result:
    """The environment must lead to an engine. `weather` None is the seed's own."""
    random.seed(seed)  # the jitter of the SDK's and the consumers' pauses
    stores = new_stores(f"{prefix}-{seed}")
    with captured_logs() as logs:
        pipeline = Pipeline(seed, stores, logs.texts.append)
        weather = weather or weather_of(pipeline.chance("weather"))
        with closing(pipeline), pipeline.virtual_time():
            evidence = live_through(pipeline, weather, logs.texts)
            findings = account(evidence, pipeline.outside)
    return _result(seed, weather, pipeline, evidence, findings)


def live_through(pipeline: Pipeline, weather: Weather, logs: list[str]) -> Evidence:
    """Everything that happens before the accounting. To be called in virtual time."""
    rows = shop_rows(pipeline.chance("rows"))
    chance = pipeline.chance("foreign")
    producer = ForeignProducer(pipeline.stores, chance, chance.randint(0, _MOST_FOREIGN))
    pipeline.before_request(producer.maybe_put)
    pipeline.set_weather(weather)
    uploaded = _uploaded(pipeline, rows)
    pipeline.set_weather(replace(weather, outage=range(0)))
    producer.put_rest()
    _consume(pipeline)
    return _evidence(pipeline, rows, uploaded, producer, logs)


def _uploaded(pipeline: Pipeline, rows: list[ShopRow]) -> Uploaded:
    with tempfile.TemporaryDirectory() as folder:
        file = write_rows(Path(folder) / "rows.csv", rows)
        return upload(file, pipeline.outside, pipeline.chance("upload"))


def _consume(pipeline: Pipeline) -> None:
    """And in some seeds all of it once more, as after a lost checkpoint."""
    chance = pipeline.chance("consumers")
    pipeline.consume(chance)
    if chance.random() < _SHARE_DELIVERED_ANEW:
        pipeline.consume(chance)


def _evidence(
    pipeline: Pipeline, rows: list[ShopRow], uploaded: Uploaded, producer: ForeignProducer, logs: list[str]
) -> Evidence:
    return Evidence(
        rows=rows,
        uploaded=uploaded,
        foreign=producer.put,
        put=pipeline.faults.puts,
        asked=frozenset(pipeline.asked),
        stores=pipeline.stores,
        discarded=[each for consumer in pipeline.consumers for each in consumer.discarded.discarded],
        logs=logs,
        objects=read_objects(pipeline.stores),
    )


def _result(seed: int, weather: Weather, pipeline: Pipeline, evidence: Evidence, findings: list[str]) -> Result:
    return Result(
        seed=seed,
        severity=weather.severity,
        findings=findings,
        rows=len(evidence.rows),
        rejected=sum(row.fact is None for row in evidence.rows),
        lines=len(evidence.facts),
        batches=len({key for key, _ in evidence.put}),
        foreign=len(evidence.foreign),
        raw_objects=len(evidence.objects_under("raw/")),
        set_aside=len(evidence.objects_under("failed/")),
        crashes=sum(consumer.crashes for consumer in pipeline.consumers),
        uploads=evidence.uploaded.rounds,
        decisions=pipeline.decisions.made,
        faults=pipeline.decisions.tally(),
    )
