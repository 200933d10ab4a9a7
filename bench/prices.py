"""The price list, checked as it is read."""

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

_FILE = Path(__file__).with_name("price_list.toml")


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Service(_Table):
    """`compared`: with what the prices were compared and when, or that they could not be."""

    source: str
    compared: str


class RequestPrices(_Service):
    per_million_requests: float


class LambdaPrices(_Service):
    per_million_requests: float
    per_gb_second: float


class KinesisPrices(_Service):
    per_gb_in: float
    per_gb_out: float
    per_stream_hour: float
    per_gb_month_extended_retention: float


class ShardPrices(_Service):
    per_shard_hour: float
    per_million_payload_units: float
    per_shard_hour_extended_retention: float


class DynamodbPrices(_Service):
    per_million_write_units: float
    per_million_read_units: float
    per_gb_month: float
    per_gb_month_point_in_time_recovery: float


class S3Prices(_Service):
    per_thousand_puts: float
    per_thousand_transitions: float
    per_gb_month: float


class LogPrices(_Service):
    per_gb: float
    per_gb_month: float


class WatchPrices(_Service):
    """What is free is so for a whole account, whatever else it does."""

    per_alarm_month: float
    per_metric_month: float
    per_dashboard_month: float
    free_alarms: int
    free_metrics: int
    free_dashboards: int


class KmsPrices(_Service):
    per_ten_thousand_requests: float


class TransferPrices(_Service):
    per_gb_out: float


class Assumed(_Table):
    """Stated, not measured: see the comments in the file."""

    lambda_cpu_factor: float
    seconds_per_call: float
    seconds_per_s3_call: float
    cold_starts_per_invocation: float
    seconds_per_cold_start: float
    log_bytes_per_invocation: int
    log_bytes_per_request: int
    kms_requests_per_user_hour: int
    hours_per_month: int


class Prices(_Table):
    """US dollars."""

    as_of: str
    region: str
    http_api: RequestPrices
    rest_api: RequestPrices
    lambda_: LambdaPrices = Field(alias="lambda")
    kinesis: KinesisPrices
    kinesis_provisioned: ShardPrices
    dynamodb: DynamodbPrices
    s3: S3Prices
    logs: LogPrices
    cloudwatch: WatchPrices
    kms: KmsPrices
    data_transfer: TransferPrices
    assumed: Assumed


def read_prices(file: Path = _FILE) -> Prices:
    """Raises pydantic's ValidationError where a price is missing, or none that we know."""
    return Prices.model_validate(tomllib.loads(file.read_text()))
