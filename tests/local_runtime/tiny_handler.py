"""Functions for the tests of the process that runs one."""

from aws.lambda_events import KinesisEvent
from local_runtime.handlers import LambdaContext

print("imported", flush=True)  # noqa: T201 - tells the test how far the process is


def handler(event: KinesisEvent, context: LambdaContext) -> None:
    """Raises on the partition key `poison`."""
    keys = [record["kinesis"]["partitionKey"] for record in event["Records"]]
    print("handled", *keys, context.get_remaining_time_in_millis() > 0, flush=True)  # noqa: T201 - must not reach the parent's line
    if "poison" in keys:
        raise ValueError("poison")
