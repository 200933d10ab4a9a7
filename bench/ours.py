"""This pipeline's real Lambda entries, started in this process as Lambda would start them."""

import importlib
import os
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

from bench.clients import BUCKET, CUSTOMERS, INVOICES, STREAM
from bench.template import variables_of

Handler = Callable[[Any, Any], Any]

Log = Callable[[str], object]
"""Gets what an invocation printed: its lines in CloudWatch."""

_VALUES = {
    "STREAM_NAME": STREAM,
    "RAW_BUCKET": BUCKET,
    "INVOICES_TABLE": INVOICES,
    "CUSTOMERS_TABLE": CUSTOMERS,
    "METRICS_NAMESPACE": "invoice-stream",
}
_ANY_VALUE = "open"  # every other variable is a name, or takes this word


def _unread(_printed: str) -> None:
    """For whoever measures time: what is logged would stand between the figures."""


def api_handler(log: Log = _unread) -> Handler:
    return _start("pipeline_api.lambda_handler", "ApiFunction", log)


def to_s3(log: Log = _unread) -> Handler:
    return _start("consumers.to_s3", "ToS3Function", log)


def to_dynamodb(log: Log = _unread) -> Handler:
    return _start("consumers.to_dynamodb", "ToDynamodbFunction", log)


def _start(module: str, function: str, log: Log) -> Handler:
    """Anew each time: an entry makes its clients when it is imported, by boto3's default session."""
    os.environ |= {name: _VALUES.get(name, _ANY_VALUE) for name in variables_of(function)}
    sys.modules.pop(module, None)
    return _logged(importlib.import_module(module).handler, log)


def _logged(handler: Handler, log: Log) -> Handler:
    def handle(event: Any, context: Any) -> Any:
        with redirect_stdout(StringIO()) as printed:
            answer = handler(event, context)
        log(printed.getvalue())
        return answer

    return handle
