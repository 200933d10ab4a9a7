"""A service that refuses a call with an error of its choice, before the call leaves this process."""

from typing import Any, Protocol

from botocore.awsrequest import AWSResponse, HTTPHeaders


class _Client(Protocol):
    @property
    def meta(self) -> Any:  # boto3-stubs know no common type of clients
        ...


def refuse(client: _Client, operation: str, *, code: str, status: int = 400) -> None:
    """Every further call of this operation fails like that."""
    service = client.meta.service_model.service_name
    parsed = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}}

    def answer(**_: object) -> tuple[AWSResponse, dict[str, Any]]:
        return AWSResponse("", status, HTTPHeaders(), None), parsed

    client.meta.events.register(f"before-call.{service}.{operation}", answer)
