"""The log as on Lambda with `LogFormat: JSON`: a JSON object a line, with everything that a record carries."""

import json
import logging
from datetime import UTC, datetime
from typing import Any

_OF_EVERY_RECORD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}

UVICORN_CONFIG: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "local_runtime.json_log.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"level": "INFO", "handlers": ["stderr"]},
}


class JsonFormatter(logging.Formatter):
    """What was given as `extra` stands beside level and message: the batch's id before all."""

    def format(self, record: logging.LogRecord) -> str:
        extra = {name: value for name, value in vars(record).items() if name not in _OF_EVERY_RECORD}
        trace = {"stackTrace": self.formatException(record.exc_info).splitlines()} if record.exc_info else {}
        line = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            **extra,
            **trace,
        }
        return json.dumps(line, default=str)


def log_as_json(level: int) -> None:
    """To standard error, for the whole process."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(handlers=[handler], level=level)
