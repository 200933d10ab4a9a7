"""What the client does when the API is slow, busy, broken, gone, or somebody else."""

import socket
import ssl
from pathlib import Path

import httpx
import pytest

from client.api import MAX_ATTEMPTS
from tests.client.fake_api import FakeApi, Reply, problem
from tests.client.run_client import LINE, FakeEnvironment, read_rejects, row, run, summary_of, write_csv, write_text

_LOST = httpx.ReadTimeout("no answer")


@pytest.mark.parametrize(
    "error", [*(problem(status, "Busy") for status in (429, 500, 502, 503, 504)), _LOST, httpx.ConnectError("no")]
)
def test_a_transient_error_is_retried_under_the_same_key(error: Reply) -> None:
    """One batch for the API, however often it was sent."""
    api = FakeApi([error, error])
    result = run(api, "send", write_text(Path("rows.csv"), LINE))
    assert (result.exit_code, api.keys, len(api.lines)) == (0, ["batch-1"] * 3, 1)
    assert len({request.content for request in api.requests}) == 1


def test_pauses_grow() -> None:
    """Half a second, doubled each time, up to a limit."""
    environment = FakeEnvironment(FakeApi([_LOST] * 6))
    run(environment, "send", write_text(Path("rows.csv"), LINE))
    assert environment.slept == [0.5, 1, 2, 4, 8, 15]


@pytest.mark.parametrize(
    ("asked", "pause"),
    [
        ("7", 7),
        ("100000", 60),
        ("Thu, 01 Jan 1970 00:00:09 GMT", 9),
        ("Thu, 01 Jan 1960 00:00:00 GMT", 0.5),
        ("?", 0.5),
    ],
)
def test_retry_after_is_honoured(asked: str, pause: float) -> None:
    """As seconds or as a date, but not for ever."""
    environment = FakeEnvironment(FakeApi([problem(429, "Slow down", Retry_After=asked)]))
    run(environment, "send", write_text(Path("rows.csv"), LINE))
    assert environment.slept == [pause]


def test_an_api_that_is_gone_ends_the_upload() -> None:
    """Exit code 3; it says which lines have no answer, and that the rest of the file was not read."""
    rows = [row(InvoiceNo=str(number)) for number in range(30)]
    ingest = FakeApi().ingest
    api = FakeApi([ingest, *[_LOST] * MAX_ATTEMPTS])
    result = run(api, "send", write_csv(Path("rows.csv"), rows), "--batch-rows", "10", "--in-flight", "1", "--json")
    summary = summary_of(result)
    assert (result.exit_code, summary["accepted"], summary["not_sent"]) == (3, 10, 10)
    assert (summary["rows_read"], summary["not_sent_lines"]) == (20, [[12, None]])
    assert summary["error"] == "The API at http://127.0.0.1:8000 gave no usable response: no answer in time."


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 415])
def test_a_refusal_is_final(status: int) -> None:
    """No second attempt; the API's own words are shown."""
    api = FakeApi([problem(status, "Not like this", "Read the manual")])
    result = run(api, "send", write_text(Path("rows.csv"), LINE))
    assert (result.exit_code, len(api.requests)) == (3, 1)
    assert f"({status}): Not like this: Read the manual." in result.stderr


@pytest.mark.parametrize("words", [("send", "rows.csv"), ("invoice", "1"), ("batch", "1")])
@pytest.mark.parametrize("body", ["<p>Not found", '{"message":"Not Found"}'])
def test_another_server_is_not_taken_for_the_api(words: tuple[str, str], body: str) -> None:
    """Its 404 does not say that there is no such invoice."""
    write_text(Path("rows.csv"), LINE)
    result = run(FakeApi([httpx.Response(404, text=body)]), *words)
    assert (result.exit_code, "Is this the address of the invoice API?" in result.stderr) == (3, True)


_ERROR = {"index": 0, "field": None, "message": "bad"}


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json={}),
        httpx.Response(202, html="<p>Welcome"),
        httpx.Response(202, json=[]),
        httpx.Response(301, headers={"Location": "/elsewhere"}),
        httpx.Response(202, json={"batch_id": "batch-1", "accepted": 1, "rejected": 0}),
        httpx.Response(202, json={"batch_id": "batch-1", "accepted": "1", "rejected": 0, "errors": []}),
        httpx.Response(202, json={"batch_id": "batch-9", "accepted": 1, "rejected": 0, "errors": []}),
        httpx.Response(202, json={"batch_id": "batch-1", "accepted": 0, "rejected": 0, "errors": []}),
        httpx.Response(202, json={"batch_id": "batch-1", "accepted": 2, "rejected": -1, "errors": []}),
        httpx.Response(202, json={"batch_id": "batch-1", "accepted": 0, "rejected": 1, "errors": []}),
        httpx.Response(202, json={"batch_id": "batch-1", "accepted": 0, "rejected": 1, "errors": [{}]}),
        httpx.Response(422, json={"errors": []}),
        httpx.Response(422, json={"errors": [_ERROR | {"index": 1}]}),
        httpx.Response(422, content=b"\xff"),
        httpx.Response(202, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"no gzip")),
    ],
)
def test_an_answer_that_does_not_add_up_ends_the_upload(answer: httpx.Response) -> None:
    """Rows that the API does not account for are never counted as sent."""
    result = run(FakeApi([answer]), "send", write_text(Path("rows.csv"), LINE), "--json", "--in-flight", "1")
    summary = summary_of(result)
    assert (result.exit_code, summary["accepted"], summary["not_sent_lines"]) == (3, 0, [[2, None]])


def test_413_halves_the_batch() -> None:
    """Under new keys, as often as needed; all rows arrive."""
    too_large = problem(413, "Too large")
    api = FakeApi([too_large, too_large])
    rows = [row(InvoiceNo=str(number)) for number in range(8)]
    result = run(api, "send", write_csv(Path("rows.csv"), rows), "--json")
    assert (result.exit_code, summary_of(result)["accepted"], len(api.lines)) == (0, 8, 8)
    assert [len(batch) for batch in api.batches] == [2, 2, 4]
    assert len(set(api.keys)) == 5


def test_a_row_that_is_too_large_alone_is_a_reject() -> None:
    """With the API's own words as its reason; its neighbour is accepted."""
    too_large = problem(413, "Too large", "5 bytes, and the limit is 4")
    api = FakeApi([too_large, too_large])
    result = run(api, "send", write_csv(Path("rows.csv"), [row(), row(InvoiceNo="2")]), "--json")
    assert (result.exit_code, summary_of(result)["accepted"]) == (1, 1)
    assert read_rejects(Path("rows.rejects.csv")) == [["2", "", "Too large: 5 bytes, and the limit is 4", *row(), ""]]


def test_rejects_that_cannot_be_kept_end_the_upload(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk must not lose a reject in silence."""

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    path = write_text(Path("rows.csv"), "broken")
    monkeypatch.setattr("client.rejects.Rejects._create", full)
    result = run(FakeApi(), "send", path)
    assert (result.exit_code, "No space left" in result.stderr) == (3, True)


def failing(error: httpx.TransportError, cause: Exception) -> httpx.TransportError:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "what"),
    [
        (failing(httpx.ConnectError("x"), ConnectionRefusedError()), "the connection was refused"),
        (failing(httpx.ConnectError("x"), socket.gaierror()), "there is no host of this name"),
        (failing(httpx.ConnectError("x"), ssl.SSLError(1, "certificate")), "no secure connection (TLS)"),
        (httpx.ConnectTimeout("x"), "no answer in time"),
    ],
)
def test_an_api_that_is_not_there_is_told_at_once_and_leaves_no_journal(error: Exception, what: str) -> None:
    """Who was asked, what went wrong, and that it tries again: once, before the first pause."""
    api = FakeApi([error] * MAX_ATTEMPTS)
    result = run(api, "send", write_text(Path("rows.csv"), LINE), "--json")
    assert (result.exit_code, Path("rows.csv.journal").exists()) == (3, False)
    first = result.stderr.splitlines()[0]
    assert first.startswith(f"http://127.0.0.1:8000: {what}")
    assert result.stderr.count("Trying again") == 1


@pytest.mark.parametrize("status", [401, 403, 404, 405])
def test_a_refusal_of_the_whole_upload_leaves_no_journal(status: int) -> None:
    """So nothing stands in the way of the same command with the right key, or with the right address."""
    path = write_text(Path("rows.csv"), LINE)
    result = run(FakeApi([problem(status, "No", "Not like this.")]), "send", path, "--url", "http://127.0.0.1:8001")
    assert (result.exit_code, [each.name for each in Path().iterdir()]) == (3, ["rows.csv"])
    assert "No: Not like this." in result.stderr
    assert ".." not in result.stderr
    assert run(FakeApi(), "send", path).exit_code == 0


def test_a_key_that_ends_in_the_middle_of_an_upload_leaves_a_journal() -> None:
    """The API has the batches before."""
    path = write_csv(Path("rows.csv"), [row(InvoiceNo=str(number)) for number in range(4)])
    words = ("send", path, "--batch-rows", "2", "--in-flight", "1")
    api = FakeApi([FakeApi().ingest, problem(401, "No")])
    assert (run(api, *words).exit_code, Path("rows.csv.journal").exists()) == (3, True)


def test_an_upload_that_reached_nobody_leaves_no_rejects() -> None:
    """The next run writes them again, under the same name."""
    path = write_text(Path("rows.csv"), "broken", LINE)
    for _ in range(2):
        refused = FakeApi([failing(httpx.ConnectError("x"), ConnectionRefusedError())] * MAX_ATTEMPTS)
        assert run(refused, "send", path).exit_code == 3
        assert [each.name for each in Path().iterdir()] == ["rows.csv"]
    assert run(FakeApi(), "send", path).exit_code == 1
    assert read_rejects(Path("rows.rejects.csv"))[0][0] == "2"


def test_a_request_that_may_have_arrived_leaves_a_journal() -> None:
    """The API may have the batch, so the next run sends it under the same key."""
    api = FakeApi([httpx.ReadTimeout("x")] * MAX_ATTEMPTS)
    assert run(api, "send", write_text(Path("rows.csv"), LINE)).exit_code == 3
    assert Path("rows.csv.journal").exists()


@pytest.mark.parametrize("words", [("send", "missing.csv"), ("invoice", "1"), ("customer", "1")])
def test_a_missing_key_is_told_before_anything_is_read(words: tuple[str, ...]) -> None:
    """With the ways to get one."""
    api = FakeApi()
    result = run(api, *words, key=None)
    assert (result.exit_code, api.requests, "There is no API key" in result.stderr) == (2, [], True)
    assert ".local/env" in result.stderr


def test_blanks_around_a_key_are_no_part_of_it() -> None:
    """A key that was read from a file ends with a line break."""
    api = FakeApi()
    assert run(api, "send", write_text(Path("rows.csv"), LINE), key=" id.secret\n").exit_code == 0
    assert api.requests[0].headers["X-Api-Key"] == "id.secret"


def test_a_wrong_key_is_told_with_the_way_to_a_right_one() -> None:
    """401."""
    api = FakeApi([problem(401, "Unauthorized")])
    result = run(api, "send", write_text(Path("rows.csv"), LINE))
    assert (result.exit_code, "INVOICE_API_KEY" in result.stderr) == (3, True)


@pytest.mark.parametrize("command", ["send", "withdraw"])
def test_why_nothing_was_taken_stands_before_the_figures(command: str) -> None:
    """And nobody is told to send the file again later: another key is needed."""
    yes = ("--yes",) if command == "withdraw" else ()
    result = run(FakeApi([problem(401, "No valid API key")]), command, write_text(Path("rows.csv"), LINE), *yes)
    shown = " ".join(result.output.split())
    assert 0 < shown.index("INVOICE_API_KEY") < shown.index("rows.csv (utf-8")
    assert "when you can" not in shown
