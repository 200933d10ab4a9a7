"""A wrong file or command line: exit code 2, one clear message, and not one request."""

import gzip
import os
from pathlib import Path

import pytest

from tests.client.fake_api import FakeApi
from tests.client.run_client import HEADER, LINE, FakeEnvironment, row, run, summary_of, write_csv, write_text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"InvoiceNo,StockCode\n1,2\n", "Country is missing", id="columns missing"),
        pytest.param((HEADER + ",Region\n").encode(), "'Region' is unknown", id="a column too many"),
        pytest.param((HEADER + "\n").encode("utf-32"), "UTF-32", id="wide characters"),
        pytest.param(HEADER.encode() + b"\n\xc3 \x81", "neither UTF-8 nor cp1252", id="no text"),
        pytest.param(gzip.compress(os.urandom(5000))[:2000], "gzip data is damaged", id="cut gzip"),
    ],
)
def test_a_bad_file_is_not_sent(content: bytes, message: str) -> None:
    """The whole file is judged before the first request."""
    Path("rows.csv").write_bytes(content)
    api = FakeApi()
    result = run(api, "send", "rows.csv", "--json")
    assert (result.exit_code, result.stdout, api.requests) == (2, "", [])
    assert message in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["missing.csv"],
        ["."],
        ["rows.csv", "--rejects", "rows.csv"],
        ["rows.csv", "--rejects", "no/such/place.csv"],
        ["rows.csv", "--rejects", "."],
        ["rows.csv", "--url", "ftp://host"],
        ["rows.csv", "--url", "host:8000"],
        ["rows.csv", "--url", "http://127.0.0.1:99999"],
        ["rows.csv", "--url", "http://127.0.0.1:0"],
        ["rows.csv", "--api-key", "k\xe9y"],
        ["rows.csv", "--api-key", "a key"],
        ["rows.csv", "--batch-rows", "10001"],
        ["rows.csv", "--in-flight", "0"],
        ["rows.csv", "--rate", "0"],
        ["rows.csv", "--rate", "nan"],
        [],
    ],
)
def test_a_bad_command_line_sends_nothing(arguments: list[str]) -> None:
    """The input is as it was, too."""
    content = write_text(Path("rows.csv"), LINE).read_bytes()
    api = FakeApi()
    assert (run(api, "send", *arguments).exit_code, api.requests) == (2, [])
    assert Path("rows.csv").read_bytes() == content


@pytest.mark.slow
def test_a_file_that_shrinks_while_it_is_read_is_incomplete() -> None:
    """What was read before is sent; the rest is said not to be, with exit code 3."""
    path = write_csv(Path("rows.csv"), (row(StockCode=f"S{number}") for number in range(100_000)))
    api = FakeApi()

    def cut_the_file() -> str:
        os.truncate(path, 5_000_000)
        return "batch"

    result = run(FakeEnvironment(api, new_key=cut_the_file), "send", path, "--json", "--in-flight", "1")
    summary = summary_of(result)
    assert (result.exit_code, summary["error"]) == (3, "The file was changed while it was read.")
    assert summary["accepted"] == len(api.lines) == summary["rows_read"]
    assert summary["not_sent_lines"] == [[len(api.lines) + 2, None]]
