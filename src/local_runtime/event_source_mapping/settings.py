"""What the template says about one mapping, with AWS's defaults and refusals.

https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

UNLIMITED = -1
_LARGEST_BATCH_WITHOUT_WINDOW = 10
_S3_ARN = "arn:aws:s3:::"


class OnFailureSettings(BaseModel):
    """Where discarded batches go; only a bucket keeps their data, so only a bucket is taken here."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    Type: Literal["S3"] = "S3"
    Destination: Annotated[str, Field(pattern=rf"^{_S3_ARN}[a-z0-9.-]+$")]

    @property
    def bucket(self) -> str:
        return self.Destination.removeprefix(_S3_ARN)


class DestinationSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    OnFailure: OnFailureSettings


class MappingSettings(BaseModel):
    """The properties of a SAM event of type Kinesis, every reference resolved. One that we do not do is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    Stream: object = None  # whoever reads the stream is told its name; here it only may stand among the properties
    StartingPosition: Literal["TRIM_HORIZON", "LATEST"]
    BatchSize: Annotated[int, Field(ge=1, le=10_000)] = 100
    MaximumBatchingWindowInSeconds: Annotated[int, Field(ge=0, le=300)] = 0
    ParallelizationFactor: Annotated[int, Field(ge=1, le=10)] = 1
    FunctionResponseTypes: tuple[Literal["ReportBatchItemFailures"], ...] = ()
    BisectBatchOnFunctionError: bool = False
    MaximumRetryAttempts: Annotated[int, Field(ge=UNLIMITED, le=10_000)] = UNLIMITED
    MaximumRecordAgeInSeconds: Annotated[int, Field(ge=60, le=604_800)] | Literal[-1] = UNLIMITED
    DestinationConfig: DestinationSettings | None = None
    MetricsConfig: object = None  # what CloudWatch is told; here the checkpoints tell it

    @model_validator(mode="after")
    def _large_batches_have_a_window(self) -> Self:
        # AWS refuses this where BatchSize is *set*; its own default of 100 goes with a window of 0.
        stated = "BatchSize" in self.model_fields_set and self.BatchSize > _LARGEST_BATCH_WITHOUT_WINDOW
        if stated and self.MaximumBatchingWindowInSeconds < 1:
            raise ValueError("a BatchSize above 10 needs a MaximumBatchingWindowInSeconds of at least 1")
        return self

    @property
    def reports_item_failures(self) -> bool:
        return bool(self.FunctionResponseTypes)

    @property
    def failure_bucket(self) -> str | None:
        return self.DestinationConfig.OnFailure.bucket if self.DestinationConfig else None
