"""Events as API Gateway makes them of one request, in both of its forms."""

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from typing import Any

from acceptance.runtime_api import Event


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    binary: bool = False

    def _body(self) -> Event:
        if self.body is None:
            return {"body": None, "isBase64Encoded": False}
        text = b64encode(self.body).decode() if self.binary else self.body.decode()
        return {"body": text, "isBase64Encoded": self.binary}

    def http_api_v2(self) -> Event:
        """https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html"""
        http = {"method": self.method, "path": self.path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7"}
        return {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": self.path,
            "rawQueryString": "",
            "headers": {"host": "a1b2c3.execute-api.us-east-1.amazonaws.com", **self.headers},
            "requestContext": {
                "apiId": "a1b2c3",
                "domainName": "a1b2c3.execute-api.us-east-1.amazonaws.com",
                "http": http | {"userAgent": "proof"},
                "requestId": "proof",
                "routeKey": "$default",
                "stage": "$default",
                "timeEpoch": 1795348800000,
            },
            **self._body(),
        }

    def rest_api_v1(self) -> Event:
        """Behind a stage named `live`, which a REST API leaves out of `path`."""
        headers = {"Host": "a1b2c3.execute-api.us-east-1.amazonaws.com", **self.headers}
        return {
            "resource": "/{proxy+}",
            "path": self.path,
            "httpMethod": self.method,
            "headers": headers,
            "multiValueHeaders": {name: [value] for name, value in headers.items()},
            "queryStringParameters": None,
            "multiValueQueryStringParameters": None,
            "pathParameters": {"proxy": self.path.lstrip("/")},
            "stageVariables": None,
            "requestContext": {
                "path": f"/live{self.path}",
                "stage": "live",
                "httpMethod": self.method,
                "resourcePath": "/{proxy+}",
                "identity": {"sourceIp": "203.0.113.7"},
                "requestId": "proof",
            },
            **self._body(),
        }


def status_and_body(answer: dict[str, Any]) -> tuple[int, Any]:
    """Of a proxy integration's answer, the body read as JSON."""
    body = answer["body"]
    text = b64decode(body) if answer.get("isBase64Encoded") else body
    return answer["statusCode"], json.loads(text)
