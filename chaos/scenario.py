"""One seed: a generated file and some foreign records go through the whole pipeline with that seed's faults.

The oracle then says which promise was broken.
"""

import logging
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

from chaos.erasure import CustomerErasure
from chaos.faults import Decision, FaultProfile, random_profile
from chaos.foreign import ForeignProducer
from chaos.observations import Observations
from chaos.oracle import broken_promises
from chaos.pipeline import Pipeline
from chaos.rows import generated_rows
from chaos.stores import create_stores
from chaos.upload import upload, write_rows

_MOST_FOREIGN_RECORDS = 10
_SHARE_DELIVERED_AGAIN = 0.4
_SHARE_WITH_ERASURE = 0.4


@dataclass(frozen=True, slots=True)
class Result:
    """`findings` are the broken promises, `counts` how much was at stake."""

    seed: int
    severity: float
    findings: list[str]
    counts: dict[str, int]
    decisions: list[Decision]


def run_seed(seed: int, prefix: str = "chaos", profile: FaultProfile | None = None) -> Result:
    """Run and judge one scenario. The environment must lead to an engine. `profile` None is the seed's own."""
    random.seed(seed)  # the jitter in the pauses of the SDK and of the consumers
    with _captured_logs() as logs:
        pipeline = Pipeline(seed, create_stores(f"{prefix}-{seed}"), logs.append)
        profile = profile or random_profile(pipeline.plan.chance("profile"))
        with pipeline.virtual_time():
            seen = run_scenario(pipeline, profile, logs)
            findings = broken_promises(seen, pipeline.client_environment)
    decisions = pipeline.plan.decisions
    crashes = sum(consumer.crashes for consumer in pipeline.consumers) + pipeline.lake.crashes
    counts = {**seen.counts(), "faults": len(decisions), "crashes of consumers": crashes}
    return Result(seed, profile.severity, findings, counts, decisions)


def run_scenario(pipeline: Pipeline, profile: FaultProfile, logs: list[str]) -> Observations:
    """Everything that happens before the oracle judges. Call it in the pipeline's virtual time."""
    plan, network, stores = pipeline.plan, pipeline.network, pipeline.stores
    rows, chance = generated_rows(plan.chance("rows")), plan.chance("foreign")
    records = chance.randint(0, _MOST_FOREIGN_RECORDS)
    producer = ForeignProducer(pipeline.put_record, chance, records, network.asked, rows)
    erasing = plan.chance("erasure")
    erasure = CustomerErasure(pipeline, erasing, producer.maybe_put) if erasing.random() < _SHARE_WITH_ERASURE else None

    def before_request() -> None:
        producer.maybe_put()
        if erasure:
            erasure.before_request()

    network.before_request = before_request
    plan.profile = profile
    with tempfile.TemporaryDirectory() as folder:
        file = write_rows(Path(folder) / "rows.csv", rows)
        uploaded = upload(file, pipeline.client_environment, plan.chance("upload"))
    plan.profile = replace(profile, outage=range(0))
    erased = erasure.run() if erasure else None
    producer.put_rest()
    consuming = plan.chance("consumers")
    pipeline.consume(consuming)
    if consuming.random() < _SHARE_DELIVERED_AGAIN or erased:  # the whole stream once more, as after a lost checkpoint
        pipeline.consume(consuming)
    pipeline.lake.refresh()
    return Observations(
        rows=rows,
        upload=uploaded,
        foreign=producer.records,
        puts=pipeline.faults.puts,
        asked=network.asked,
        erasure=erased,
        stores=stores,
        objects=stores.objects(),
        discarded=[each for consumer in pipeline.consumers for each in consumer.discarded.discarded],
        logs=logs,
    )


@contextmanager
def _captured_logs() -> Iterator[list[str]]:
    """The texts of all log records from level INFO on, which is what Lambda keeps; no other handler sees them."""
    texts: list[str] = []
    root = logging.getLogger()
    level = root.level
    with patch.object(root, "handlers", [_LogTexts(texts)]):
        root.setLevel(logging.INFO)
        try:
            yield texts
        finally:
            root.setLevel(level)


class _LogTexts(logging.Handler):
    """Keeps of each record all the text that any formatter can make of it."""

    def __init__(self, texts: list[str]) -> None:
        super().__init__(logging.INFO)
        self._texts = texts

    def emit(self, record: logging.LogRecord) -> None:
        self._texts.append(f"{self.format(record)} {vars(record)}")
