"""`client send --wait` and `client batch`: receipts of batches."""

from pathlib import Path

import httpx
import pytest

from tests.client.fake_api import FakeApi, problem
from tests.client.run_client import ROW, run, summary_of, write_csv

_RECEIPT = {
    "batch_id": "batch-1",
    "rows": 1200,
    "stored": 1199,
    "set_aside": 1,
    "arrived_at": "2026-11-25T12:00:04.125+00:00",
    "queryable_at": "2026-11-25T12:00:04.211+00:00",
}
_MISSING = problem(404, "Not found", Retry_After="1")


def _receipt(**changes: object) -> httpx.Response:
    return httpx.Response(200, json=_RECEIPT | changes)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Two batches of a row each."""
    return write_csv(tmp_path / "rows.csv", [ROW, ("536366", *ROW[1:])])


def send_and_wait(api: FakeApi, file: Path, *options: str) -> tuple[int, str, dict[str, object]]:
    words: list[str | Path] = [
        "send",
        file,
        "--url",
        "http://api.test",
        "--batch-rows",
        "1",
        "--in-flight",
        "1",
        "--wait",
        *options,
    ]
    result = run(api, *words, "--json")
    return result.exit_code, result.stderr, summary_of(result)


def api_with(*receipts: httpx.Response) -> FakeApi:
    """Takes two batches; then its answers are these."""
    api = FakeApi()
    api.replies.extend([api.ingest, api.ingest, *receipts])
    return api


def test_send_waits_until_every_batch_can_be_queried(file: Path) -> None:
    """It asks again after growing pauses, and says how long that took."""
    api = api_with(_MISSING, _MISSING, _receipt(set_aside=0), _receipt(set_aside=0))
    exit_code, _, summary = send_and_wait(api, file)
    assert [request.url.path for request in api.requests[2:]] == ["/batches/batch-1"] * 3 + ["/batches/batch-2"]
    assert (exit_code, summary["queryable_seconds"], summary["set_aside"]) == (0, 0.25, 0)


def test_without_wait_nothing_is_asked(file: Path) -> None:
    """As ever."""
    api = FakeApi()
    result = run(api, "send", file, "--url", "http://api.test", "--json")
    assert (len(api.requests), summary_of(result)["queryable_seconds"]) == (1, None)


def test_a_batch_that_is_never_queryable_ends_the_wait(file: Path) -> None:
    """After ten minutes; the exit code is that of an incomplete upload."""
    api = api_with(*[_MISSING] * 400)
    exit_code, stderr, _ = send_and_wait(api, file)
    assert (exit_code, "batch-1 cannot be queried after ten minutes" in stderr) == (3, True)


def test_a_key_that_may_not_read_is_named(file: Path) -> None:
    """The rows were sent all the same, so there is nothing to resume and no journal."""
    exit_code, stderr, summary = send_and_wait(api_with(problem(403, "Not permitted")), file)
    assert (exit_code, summary["accepted"], "a key with the scope read" in stderr) == (3, 2, True)
    assert (summary["journal"], [path.name for path in file.parent.iterdir()]) == (None, [file.name])


def test_the_summary_says_how_long_and_how_many_were_set_aside(file: Path) -> None:
    """For people."""
    api = api_with(_receipt(), _receipt(set_aside=0))
    result = run(api, "send", file, "--url", "http://api.test", "--batch-rows", "1", "--in-flight", "1", "--wait")
    assert "queryable after" in result.stdout
    assert "1 accepted row could not be stored" in result.stdout


def test_a_batch_is_shown_with_its_counts_and_times() -> None:
    """The receipt as the API has it."""
    result = run(lambda _: _receipt(), "batch", "batch-1")
    assert result.exit_code == 0
    for text in ("batch-1", "1,200", "1,199", "2026-11-25T12:00:04.125+00:00", "2026-11-25T12:00:04.211+00:00"):
        assert text in result.stdout


def test_a_batch_is_printed_as_json() -> None:
    """The API's own object."""
    assert summary_of(run(lambda _: _receipt(), "batch", "batch-1", "--json")) == _RECEIPT


def test_an_unknown_batch_is_said_so() -> None:
    """Exit code 1: perhaps it is only late."""
    result = run(lambda _: _MISSING, "batch", "batch-1")
    assert (result.exit_code, "cannot be queried yet" in result.stderr) == (1, True)
