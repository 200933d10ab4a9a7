"""An upload that was killed goes on with the same command: nothing is lost, nothing is sent twice."""

import asyncio
import os
import shutil
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import TypeAlias

import httpx
import pytest

from client.columns import COLUMNS
from client.errors import CannotWrite
from client.rejects import Rejects
from client.report import Summary
from tests.client.fake_api import FakeApi, problem
from tests.client.killed_api import Killed, killed_at
from tests.client.run_client import LINE, FakeEnvironment, Handler, read_rejects, row, run, summary_of, write_csv

SignalHandler: TypeAlias = Callable[[int, FrameType | None], None]

JOURNAL = Path("rows.csv.journal")
_SEND = ("send", "rows.csv", "--batch-rows", "10", "--in-flight", "1", "--json")


def _rows(count: int = 50, **changes: str) -> list[Sequence[str]]:
    return [row(InvoiceNo=str(number), **changes) for number in range(count)]


def _environment(api: Handler, name: str) -> FakeEnvironment:
    """Its keys are new: `second-1`, `second-2` …"""
    numbers = iter(range(1, 1000))
    return FakeEnvironment(api, lambda: f"{name}-{next(numbers)}")


def _kill(api: FakeApi, request: int, *, is_lost: bool = False, send: Sequence[str] = _SEND) -> None:
    with pytest.raises(Killed):
        run(_environment(killed_at(api, request, is_lost=is_lost), "first"), *send)


def _interrupt_at_once(*_: object) -> None:
    raise KeyboardInterrupt


def test_answered_batches_are_not_sent_again() -> None:
    """Three have their answer; the fourth goes out again as it was, then the rest."""
    api = FakeApi()
    write_csv(Path("rows.csv"), _rows())
    _kill(api, 4, is_lost=True)
    result = run(_environment(api, "second"), *_SEND)
    assert (result.exit_code, api.keys) == (0, ["first-1", "first-2", "first-3", "first-4", "first-4", "second-1"])
    assert (api.requests[3].content, len(api.lines)) == (api.requests[4].content, 50)


def test_the_summary_counts_the_whole_file() -> None:
    """What was answered before and what is answered now; the journal is gone then."""
    api = FakeApi()
    write_csv(Path("rows.csv"), _rows())
    _kill(api, 4)
    summary = summary_of(run(_environment(api, "second"), *_SEND))
    assert [summary[name] for name in ("rows_read", "accepted", "rejected", "not_sent", "batches")] == [50, 50, 0, 0, 5]
    assert (summary["resumed"], summary["resumed_rows"], JOURNAL.exists()) == (True, 30, False)
    assert summary["bytes_sent"] == sum(len(request.content) for request in api.requests)


def test_the_rejects_are_complete() -> None:
    """Those of the first run, too: of the API's making and of the file's."""
    bad = [*_rows(15), row(Quantity="x"), row()[:3], *_rows(15), row(Quantity="y")]
    write_csv(Path("rows.csv"), bad)
    api = FakeApi()
    _kill(api, 4)
    assert read_rejects(Path("rows.rejects.csv"))
    result = run(_environment(api, "second"), *_SEND)
    assert (result.exit_code, summary_of(result)["rejected"]) == (1, 3)
    assert sorted(each[0] for each in read_rejects(Path("rows.rejects.csv"))) == ["17", "18", "34"]


def test_a_finished_file_can_be_sent_again() -> None:
    """All of it, under new keys; no row becomes another line."""
    api = FakeApi()
    write_csv(Path("rows.csv"), _rows())
    first, second = (summary_of(run(_environment(api, name), *_SEND)) for name in ("first", "second"))
    assert (first["resumed"], second["resumed"], len(api.requests), len(api.lines)) == (False, False, 10, 50)


def test_a_batch_of_another_size_changes_nothing_that_was_begun() -> None:
    """The batch without an answer keeps its rows and its key; only new ones are cut anew."""
    api = FakeApi()
    write_csv(Path("rows.csv"), _rows())
    _kill(api, 3)
    run(_environment(api, "second"), "send", "rows.csv", "--batch-rows", "7", "--in-flight", "1")
    assert ([len(batch) for batch in api.batches], len(api.lines)) == ([10, 10, 10, 7, 7, 6], 50)
    assert api.keys[2] == "first-3"


@pytest.mark.parametrize("request_number", [1, 2, 3])
def test_halves_are_resumed_as_halves(request_number: int) -> None:
    """After a 413, whichever half the kill came in."""
    api = FakeApi([problem(413, "Too large")])
    write_csv(Path("rows.csv"), _rows(20))
    _kill(api, request_number, send=("send", "rows.csv", "--in-flight", "1"))
    assert run(_environment(api, "second"), "send", "rows.csv", "--in-flight", "1").exit_code == 0
    assert sorted(len(batch) for batch in api.batches) == [10, 10]
    assert len(api.lines) == 20


def test_a_changed_file_is_not_resumed() -> None:
    """Exit code 2, nothing sent, the way out is named; --fresh takes it."""
    api = FakeApi()
    write_csv(Path("rows.csv"), _rows())
    _kill(api, 4)
    write_csv(Path("rows.csv"), _rows(50, Quantity="7"))
    refused = run(_environment(api, "second"), *_SEND)
    assert (refused.exit_code, len(api.requests), "--fresh" in refused.stderr) == (2, 3, True)
    assert summary_of(run(_environment(api, "third"), *_SEND, "--fresh"))["resumed"] is False
    assert (len(api.requests), JOURNAL.exists()) == (8, False)


@pytest.mark.parametrize("options", [("--dates", "dmy"), ("--columns", "Region=Country")])
def test_a_file_is_not_resumed_with_options_that_read_other_rows(options: tuple[str, str]) -> None:
    """Half of it would be other lines. The message says with which ones it was begun, and how to get out of it."""
    api, columns = FakeApi(), ["Region" if name == "Country" else name for name in COLUMNS]
    write_csv(Path("rows.csv"), _rows(InvoiceDate="3/4/2010"), columns if "--columns" in options else COLUMNS)
    begun = options if "--columns" in options else ()
    _kill(api, 4, send=(*_SEND, *begun))
    before = len(api.requests)
    changed = () if begun else options
    result = run(_environment(api, "second"), *_SEND, *changed)
    assert (result.exit_code, len(api.requests), "withdraw" in result.stderr or bool(begun)) == (2, before, True)
    assert run(_environment(api, "third"), *_SEND, *begun).exit_code == 0


@pytest.mark.parametrize("handler", [signal.default_int_handler, _interrupt_at_once])
def test_ctrl_c_during_the_first_request_keeps_the_journal(handler: SignalHandler) -> None:
    """The API may have its rows, so the next run sends the same batch under the same key.

    asyncio cancels its tasks where Python's own handler is set; another one may raise KeyboardInterrupt anywhere.
    """
    before = signal.signal(signal.SIGINT, handler)
    api = FakeApi()
    write_csv(Path("rows.csv"), _rows(5))

    async def slow(request: httpx.Request) -> httpx.Response:
        api(request)
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(60)
        raise AssertionError

    try:
        result = run(_environment(slow, "first"), *_SEND)
    finally:
        signal.signal(signal.SIGINT, before)
    assert (result.exit_code, JOURNAL.exists()) == (130, True)
    assert run(_environment(api, "second"), *_SEND).exit_code == 0
    assert api.keys == ["first-1", "first-1"]


def test_rejects_never_replace_those_of_another_upload(tmp_path: Path) -> None:
    """Both take their name from the file's, and the other upload may be quicker. A resumed run finds its own again."""
    taken: list[Path] = []
    rejects = Rejects(tmp_path / "rows.rejects.csv", COLUMNS, b",", taken.append, is_own=False)
    (tmp_path / "rows.rejects.csv").write_text("another's")
    rejects.add(2, "Quantity", "is no number", LINE.encode())
    rejects.close()
    assert (tmp_path / "rows.rejects.csv").read_text() == "another's"
    assert taken == [rejects.path] == [tmp_path / "rows.rejects-2.csv"]


def test_a_copy_with_the_same_content_is_the_same_file() -> None:
    """Neither its time nor its place counts."""
    api = FakeApi()
    write_csv(Path("rows.csv"), _rows())
    _kill(api, 4)
    Path("elsewhere").mkdir()
    for name in ("rows.csv", "rows.csv.journal"):
        shutil.move(name, Path("elsewhere") / name)
    os.utime("elsewhere/rows.csv", (0, 0))
    summary = summary_of(run(_environment(api, "second"), "send", "elsewhere/rows.csv", "--json"))
    assert (summary["resumed_rows"], summary["accepted"]) == (30, 50)


def test_another_api_gets_nothing_by_mistake() -> None:
    """What one API has is not what another has."""
    api = FakeApi()
    write_csv(Path("rows.csv"), _rows())
    _kill(api, 4)
    refused = run(_environment(api, "second"), *_SEND, "--url", "http://other")
    assert (refused.exit_code, len(api.requests), "http://127.0.0.1:8000" in refused.stderr) == (2, 3, True)
    assert run(_environment(api, "third"), *_SEND, "--url", "http://127.0.0.1:8000/").exit_code == 0


def test_the_journal_holds_neither_rows_nor_a_password() -> None:
    """It may lie about for weeks."""
    write_csv(Path("rows.csv"), [*_rows(10, Description="SECRET"), row(Quantity="SECRET"), *_rows(10)])
    _kill(FakeApi(), 3, send=(*_SEND, "--url", "http://me:SECRET@host", "--api-key", "SECRET"))
    assert "SECRET" not in JOURNAL.read_text()


def test_an_end_that_nobody_heard_of_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between the last answer and the summary: the next run sends nothing and says that all is there."""
    api = FakeApi()
    write_csv(Path("rows.csv"), _rows())

    def die(_: Summary) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Summary, "event", die)
        with pytest.raises(Killed):
            run(_environment(api, "first"), *_SEND)
    summary = summary_of(run(_environment(api, "second"), *_SEND))
    assert (len(api.requests), summary["accepted"], summary["resumed_rows"]) == (5, 50, 50)


def test_an_upload_that_ends_early_says_how_to_go_on_and_does() -> None:
    """A resumed one may end early as well; every second answer is lost for good."""
    api = FakeApi()
    write_csv(Path("rows.csv"), _rows())

    def lossy(request: httpx.Request) -> httpx.Response:
        answer = api(request)
        return answer if len(api.requests) % 2 else problem(400, "No")

    first, second = (run(_environment(lossy, name), *_SEND) for name in ("first", "second"))
    assert [first.exit_code, second.exit_code] == [3, 3]
    assert summary_of(first)["journal"] == "rows.csv.journal"
    assert summary_of(run(_environment(api, "third"), *_SEND))["accepted"] == len(api.lines) == 50


def test_without_a_batch_no_journal_stays() -> None:
    """A wrong address is no upload."""
    write_csv(Path("rows.csv"), _rows())
    assert run(FakeApi(), *_SEND, "--url", "ftp://host").exit_code == 2
    assert not JOURNAL.exists()


def test_no_request_goes_out_unless_the_journal_knows_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fails ends the upload, honestly."""

    async def fail(*_: object) -> None:
        raise CannotWrite("The journal cannot be written: no space.")

    write_csv(Path("rows.csv"), _rows())
    monkeypatch.setattr("client.journal.Journal.record_batch", fail)
    api = FakeApi()
    result = run(api, *_SEND)
    assert (result.exit_code, api.requests, summary_of(result)["accepted"]) == (3, [], 0)
