"""The settings of one mapping as the template states them, with AWS's defaults and limits.

https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

UNLIMITED = -1
_LARGEST_BATCH_WITHOUT_WINDOW = 10
_S3_ARN = "arn:aws:s3:::"


class OnFailureSettings(BaseModel):
    """The on-failure destination. Only a bucket is accepted, because only a bucket gets the records themselves."""

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
    """The properties of a SAM event of type Kinesis, every reference resolved. Unknown properties are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    Stream: str | None = None  # the ARN of a stream, or of a consumer of it; the reader knows its stream
    StartingPosition: Literal["TRIM_HORIZON", "LATEST"]
    BatchSize: Annotated[int, Field(ge=1, le=10_000)] = 100
    MaximumBatchingWindowInSeconds: Annotated[int, Field(ge=0, le=300)] = 0
    ParallelizationFactor: Annotated[int, Field(ge=1, le=10)] = 1
    FunctionResponseTypes: tuple[Literal["ReportBatchItemFailures"], ...] = ()
    BisectBatchOnFunctionError: bool = False
    MaximumRetryAttempts: Annotated[int, Field(ge=UNLIMITED, le=10_000)] = UNLIMITED
    MaximumRecordAgeInSeconds: Annotated[int, Field(ge=60, le=604_800)] | Literal[-1] = UNLIMITED
    DestinationConfig: DestinationSettings | None = None
    MetricsConfig: object = None  # accepted and ignored: there is no CloudWatch here

    @model_validator(mode="after")
    def _check_that_a_large_batch_has_a_window(self) -> Self:
        # AWS refuses this only where BatchSize is *set*: its own default of 100 goes with a window of 0.
        is_large = "BatchSize" in self.model_fields_set and self.BatchSize > _LARGEST_BATCH_WITHOUT_WINDOW
        if is_large and self.MaximumBatchingWindowInSeconds < 1:
            raise ValueError("a BatchSize above 10 needs a MaximumBatchingWindowInSeconds of at least 1")
        return self

    @property
    def has_fan_out(self) -> bool:
        """Whether Kinesis pushes the records to a registered consumer. Otherwise Lambda polls the stream."""
        return "/consumer/" in (self.Stream or "")

    @property
    def reports_item_failures(self) -> bool:
        return bool(self.FunctionResponseTypes)

    @property
    def failure_bucket(self) -> str | None:
        return self.DestinationConfig.OnFailure.bucket if self.DestinationConfig else None
