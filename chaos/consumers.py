"""The functions behind the stream: each goes on after a crash as it does on Lambda, until nothing is left to do.

The two consumers of the stream run in their event source mapping, through time limits, second deliveries and changing
batch sizes. The lake's refresh begins again with the same messages, as its schedule does.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from aws.lambda_events import BatchResponse, KinesisEvent
from aws.metrics import MetricsLog
from aws.totals import TotalsStore
from chaos.aws_faults import AwsFaults
from chaos.faults import Crash, Fault, FaultPlan, NeverEnds, TimeIsUp
from chaos.stores import Stores
from consumers.batch_loop import Stage, consume
from consumers.lake.refresh import LakeQueue, Refresh
from consumers.lake.table import LakeChanged, LakeTable, MonthFile, Snapshot
from invoices.errors import Retryable
from local_runtime.event_source_mapping import (
    EventSourceMapping,
    InMemoryCheckpoints,
    InMemoryDestination,
    KinesisReader,
    MappingDependencies,
    MappingSettings,
    StreamReader,
    VirtualClock,
)
from local_runtime.event_source_mapping.readers import Page
from local_runtime.handlers import LambdaContext
from local_runtime.stack.functions import Function

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

_LONGEST_SECONDS = 5 * 24 * 3600.0
_MOST_CRASHES = 500
_BATCH_SIZES = (1, 2, 3, 7, 25, 100)


class VirtualReader(KinesisReader):
    """A record arrived when the virtual clock says so. `arrivals` are the times by sequence number."""

    def __init__(self, kinesis: "KinesisClient", stream: str, arrivals: Mapping[str, float]) -> None:
        super().__init__(kinesis, stream)
        self._arrivals = arrivals

    def get_page(self, shard_id: str, iterator: str, limit: int) -> Page:
        page = super().get_page(shard_id, iterator, limit)
        records = (replace(each, arrived=self._arrivals[each.sequence_number]) for each in page.records)
        return replace(page, records=tuple(records))


@dataclass(slots=True)
class Consumer:
    """One function of the template. `new_stage` makes what it has in memory: at the start and after each crash."""

    name: str
    function: Function
    reader: StreamReader
    new_stage: Callable[[], Stage]
    metrics_log: MetricsLog
    faults: AwsFaults
    discarded: InMemoryDestination = field(default_factory=InMemoryDestination)
    crashes: int = 0

    def drain(self, chance: Random) -> None:
        """Read the whole stream; after each crash go on from the checkpoint, in batches of another size."""
        checkpoints = _CrashingCheckpoints(self.faults.plan, self.name)
        dependencies = MappingDependencies(
            self.reader, clock=self._clock, checkpoints=checkpoints, on_failure=self.discarded
        )
        template = MappingSettings.model_validate(self.function.mapping)
        for _ in range(_MOST_CRASHES):
            settings = template.model_copy(update={"BatchSize": chance.choice(_BATCH_SIZES)})
            mapping = EventSourceMapping(settings, partial(self._deliver, self.new_stage()), dependencies)
            try:
                mapping.drain(_LONGEST_SECONDS)
            except Crash:
                self.crashes += 1
            else:
                return
        raise NeverEnds(self.name)

    @property
    def _clock(self) -> VirtualClock:
        return self.faults.clock

    def _deliver(self, stage: Stage, event: KinesisEvent) -> BatchResponse:
        """Now and then Lambda delivers a batch once more than is needed."""
        with self.faults.plan.around("invocation", self.name) as fault:
            if fault is Fault.TWICE:
                self._invoke(stage, event)
            return self._invoke(stage, event)

    def _invoke(self, stage: Stage, event: KinesisEvent) -> BatchResponse:
        """Raises TimeoutError where Lambda ends the invocation."""
        deadline = self._clock.now() + self.function.timeout_seconds
        self.faults.time_limit = deadline
        try:
            return consume(event, LambdaContext(self.name, deadline, self._clock), stage, self.metrics_log)
        except TimeIsUp as ended:
            raise TimeoutError from ended
        finally:
            self.faults.time_limit = None


class _CrashingCheckpoints(InMemoryCheckpoints):
    """The poller can crash before and after it saves a checkpoint."""

    def __init__(self, plan: FaultPlan, name: str) -> None:
        super().__init__()
        self._plan = plan
        self._name = name

    def save(self, shard_id: str, sequence_number: str) -> None:
        with self._plan.around("checkpoint", self._name):
            super().save(shard_id, sequence_number)


@dataclass(slots=True)
class Lake:
    """`s3` meets the seed's faults. So does the commit; the other calls that deltalake makes itself meet none."""

    stores: Stores
    s3: "S3Client"
    plan: FaultPlan
    crashes: int = 0

    @property
    def table(self) -> LakeTable:
        return _Table(self.s3, self.stores.lake_bucket, self.plan)

    @property
    def totals(self) -> TotalsStore:
        return TotalsStore(self.s3, self.stores.lake_bucket)

    def refresh(self) -> None:
        """Until every object of the archive that the queue tells of is in the lake."""
        if not any(self.try_refresh() for _ in range(_MOST_CRASHES)):
            raise NeverEnds("the lake's refresh")

    def try_refresh(self) -> bool:
        """Once, and whether the queue was empty. While a customer is erased, some refreshes fail until that is done."""
        queue = _Queue(self.stores.clients.sqs, self.stores.lake_queue)
        try:
            done = Refresh(self.s3, self.stores.bucket, self.table, self.totals).run(queue)
        except (Crash, TimeIsUp, Retryable):
            self.crashes += 1
            queue.deliver_again()
            return False
        return done is None


class _Queue(LakeQueue):
    """For one refresh. If it fails, its messages can be received again at once, and not after the queue's time."""

    def __init__(self, sqs: "SQSClient", url: str) -> None:
        super().__init__(sqs, url, wait_seconds=0)
        self._received: list[MessageTypeDef] = []

    def receive(self) -> "list[MessageTypeDef]":
        messages = super().receive()
        self._received += messages
        return messages

    def deliver_again(self) -> None:
        for message in self._received:
            self._sqs.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
            )


class _Table(LakeTable):
    def __init__(self, s3: "S3Client", bucket: str, plan: FaultPlan) -> None:
        super().__init__(s3, bucket)
        self._plan = plan

    def commit(self, snapshot: Snapshot, files: Sequence[MonthFile], replaced: Sequence[str] = ()) -> None:
        with self._plan.around("lake.commit", str(snapshot.version)) as fault:
            super().commit(snapshot, files, replaced)
            if fault is Fault.LOST_RESPONSE:
                raise LakeChanged("no answer")
