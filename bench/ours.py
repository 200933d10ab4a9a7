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

_VALUES = {"STREAM_NAME": STREAM, "RAW_BUCKET": BUCKET, "INVOICES_TABLE": INVOICES, "CUSTOMERS_TABLE": CUSTOMERS}
_ANY_VALUE = "open"  # every other variable is a name, or takes this word


def api_handler() -> Handler:
    return _start("pipeline_api.lambda_handler", "ApiFunction")


def to_s3() -> Handler:
    return _start("consumers.to_s3", "ToS3Function")


def to_dynamodb() -> Handler:
    return _start("consumers.to_dynamodb", "ToDynamodbFunction")


def _start(module: str, function: str) -> Handler:
    """Anew each time: an entry makes its clients when it is imported, by boto3's default session."""
    os.environ |= {name: _VALUES.get(name, _ANY_VALUE) for name in variables_of(function)}
    sys.modules.pop(module, None)
    return _quiet(importlib.import_module(module).handler)


def _quiet(handler: Handler) -> Handler:
    """What a function logs is CloudWatch's on Lambda; here it would stand between the figures."""

    def handle(event: Any, context: Any) -> Any:
        with redirect_stdout(StringIO()):
            return handler(event, context)

    return handle
