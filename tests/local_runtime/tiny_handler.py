"""The handler for the tests of the process that runs one function."""

from aws.lambda_events import KinesisEvent
from local_runtime.handlers import LambdaContext

print("imported", flush=True)  # noqa: T201 - the test waits for this line


def handler(event: KinesisEvent, context: LambdaContext) -> None:
    """Raises on the partition key `poison`."""
    keys = [record["kinesis"]["partitionKey"] for record in event["Records"]]
    print("handled", *keys, context.get_remaining_time_in_millis() > 0, flush=True)  # noqa: T201 - must not reach the parent's stdout
    if "poison" in keys:
        raise ValueError("poison")
