"""Lambda entries of the lake, which schedules start: `handler` refreshes it, `vacuum_handler` deletes what is old."""

import os
from dataclasses import asdict, dataclass

from aws.clients import s3_client, sqs_client
from aws.lambda_events import LambdaContext
from aws.metrics import Metric, stdout_log
from aws.settings import read_settings
from aws.totals import TotalsStore
from consumers.lake.refresh import LakeQueue, Refresh, Refreshed
from consumers.lake.table import GRACE, LakeTable

RESERVED_MILLIS = 300_000
"""With less time left no further refresh begins: one of 500,000 rows in many months takes minutes."""


@dataclass(frozen=True, slots=True)
class Settings:
    RAW_BUCKET: str
    LAKE_BUCKET: str
    LAKE_QUEUE: str
    METRICS_NAMESPACE: str


_settings = read_settings(os.environ, Settings)
_s3 = s3_client()
_queue = LakeQueue(sqs_client(), _settings.LAKE_QUEUE)
_metrics = stdout_log(_settings.METRICS_NAMESPACE)
_table = LakeTable(_s3, _settings.LAKE_BUCKET)
_totals = TotalsStore(_s3, _settings.LAKE_BUCKET)
_refresh = Refresh(_s3, _settings.RAW_BUCKET, _table, _totals)


def handler(event: object, context: LambdaContext) -> list[dict[str, object]]:  # noqa: ARG001 - the schedule says nothing
    """Refresh until the queue is empty; the answer tells what each refresh did."""
    done: list[Refreshed] = []
    while context.get_remaining_time_in_millis() >= RESERVED_MILLIS and (refreshed := _refresh.run(_queue)):
        done.append(refreshed)
        _metrics.put("lake", [Metric("LakeRowsRead", refreshed.rows), Metric("LakeObjectsRead", refreshed.objects)])
    return [asdict(each) for each in done]


def vacuum_handler(event: object, context: LambdaContext) -> dict[str, int]:  # noqa: ARG001 - same
    """Delete what no version of the last day needs. The answer counts the objects."""
    return {"data_files": _table.vacuum(GRACE), "totals": _totals.vacuum(GRACE)}
