"""Calls of a boto3 client that fail before they leave this process."""

from typing import Any, Protocol

from botocore.awsrequest import AWSResponse, HTTPHeaders


class _Client(Protocol):
    @property
    def meta(self) -> Any:  # boto3-stubs have no common type for all clients
        ...


def fail_calls(client: _Client, operation: str, *, code: str, status: int = 400) -> None:
    """Let every further call of this operation fail with this code and status."""
    service = client.meta.service_model.service_name
    parsed = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}}

    def respond(**_: object) -> tuple[AWSResponse, dict[str, Any]]:
        return AWSResponse("", status, HTTPHeaders(), None), parsed

    client.meta.events.register(f"before-call.{service}.{operation}", respond)
