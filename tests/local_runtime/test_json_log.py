"""Logs on the laptop have the same form as on Lambda."""

import json
import logging
import logging.config
import sys

from local_runtime.json_log import UVICORN_CONFIG, JsonFormatter


def test_a_line_has_all_fields_of_its_record() -> None:
    """It has the extra fields, too: here the batch id."""
    record = logging.LogRecord("consumers", logging.WARNING, "file.py", 1, "Stopped: %s", ("slow down",), None)
    record.batch_id = "batch-1"
    line = json.loads(JsonFormatter().format(record))
    assert line.pop("timestamp").endswith("+00:00")
    assert line == {"level": "WARNING", "message": "Stopped: slow down", "logger": "consumers", "batch_id": "batch-1"}


def test_a_stack_trace_stays_in_its_line() -> None:
    """A program that reads the log takes each line for one record."""
    try:
        _ = 1 // 0
    except ZeroDivisionError:
        record = logging.LogRecord("consumers", logging.ERROR, "file.py", 1, "A bug", (), sys.exc_info())
    text = JsonFormatter().format(record)
    assert "\n" not in text
    assert json.loads(text)["stackTrace"][-1].startswith("ZeroDivisionError")


def test_the_servers_configuration_can_be_loaded() -> None:
    """uvicorn loads it in the same way."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    try:
        logging.config.dictConfig(json.loads(json.dumps(UVICORN_CONFIG)))
        assert isinstance(root.handlers[0].formatter, JsonFormatter)
    finally:
        root.handlers[:], root.level = before
