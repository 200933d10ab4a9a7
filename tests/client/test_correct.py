"""`withdraw` and `correct`: what holds afterwards is what the files say, and nothing is sent before the user agrees."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import Result

from invoices.invoice import invoice_of
from invoices.line import Line
from tests.client.fake_api import FakeApi, problem, sent_rows
from tests.client.killed_api import Killed, killed_at
from tests.client.run_client import FakeEnvironment, Handler, row, run, summary_of, write_csv
from tests.invoices.strategies import cut

Row = Sequence[str]
HEART, LANTERN = row(), row(StockCode="71053", UnitPrice="3.39", Quantity="1")
MENDED = row(UnitPrice="2.95")


def at(hour: int, api: Handler, name: str = "batch") -> FakeEnvironment:
    """The client's clock shows this hour."""
    numbers: Iterator[int] = iter(range(1, 1000))
    environment = FakeEnvironment(api, lambda: f"{name}-{hour}-{next(numbers)}")
    environment.slept.append(hour * 3600.0)
    return environment


def held(api: FakeApi) -> list[tuple[str, str, int | None]]:
    """The lines that hold after all that the API took: stock code, price and Occurrence."""
    slices = [each for number, batch in enumerate(api.batches) for each in cut(batch, str(number))]
    lines: list[Line] = []
    for number in sorted({each.invoice_no for each in slices}):
        lines += invoice_of(number, [each for each in slices if each.invoice_no == number]).lines.values()
    return sorted((line.StockCode, str(line.UnitPrice), line.Occurrence) for line in lines)


def result_of(api: FakeApi, hour: int, *words: str | Path) -> Result:
    return run(at(hour, api), *words)


def sent(api: FakeApi, *rows: Row, name: str = "old.csv") -> Path:
    path = write_csv(Path(name), rows)
    assert result_of(api, 0, "send", path).exit_code == 0
    return path


def test_a_file_is_taken_back() -> None:
    """All of its lines, also true repeats, and a later sending of it brings none back."""
    api = FakeApi()
    old = sent(api, HEART, HEART, LANTERN)
    result = result_of(api, 1, "withdraw", old, "--yes")
    assert (result.exit_code, "dates month/day/year" in result.stdout) == (0, True)
    sent(api, HEART, HEART, LANTERN)
    assert held(api) == []


@pytest.mark.parametrize("command", ["withdraw", "correct"])
def test_the_summary_counts_the_users_lines(command: str) -> None:
    """How many were taken back and sent, and from when that holds, but not the rows that carry it to the API."""
    api = FakeApi()
    old, new = sent(api, HEART, LANTERN), write_csv(Path("new.csv"), [MENDED])
    result = result_of(api, 1, command, *([old] if command == "withdraw" else [old, new]), "--yes")
    figures = dict(line.rsplit(maxsplit=1) for line in result.stdout.split(" month/day/year)")[1].splitlines() if line)
    assert figures["taken back"] == "2"
    assert figures.get("sent") == ("1" if command == "correct" else None)
    assert "This holds as of 1970-01-01T01:00:00.000000Z." in result.stdout
    assert not {"accepted", "rows read", "rows/s"} & figures.keys()


def test_the_summary_of_a_part_says_how_many_lines_were_changed() -> None:
    """The API has answered for the first of two batches; the journal has the instant for the next run."""
    api = FakeApi()
    old = sent(api, *(row(InvoiceNo=str(number)) for number in range(4)))
    api.replies.extend([api.ingest, problem(401, "No")])
    result = result_of(api, 1, "withdraw", old, "--yes", "--batch-rows", "3")
    shown = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert (result.exit_code, {"lines to change 4", "changed 3", "not sent 1"} <= set(shown)) == (3, True)
    assert "What was changed holds as of 1970-01-01T01:00:00.000000Z." in shown


def test_json_says_the_instant_of_a_correction() -> None:
    """Beside the figures that `send` has, too."""
    api = FakeApi()
    summary = summary_of(result_of(api, 1, "withdraw", sent(api, HEART), "--yes", "--json"))
    assert (summary["accepted"], summary["as_of"]) == (1, "1970-01-01T01:00:00.000000Z")


def test_a_batch_is_taken_back_by_an_operator() -> None:
    """Who looks for it here learns where it is, also without a file."""
    api = FakeApi()
    result = result_of(api, 1, "withdraw", "--batch", "order-1", "--yes")
    assert (result.exit_code, "invoice-stream ops withdraw --batch ID" in " ".join(result.output.split())) == (2, True)
    assert api.batches == []


def test_only_what_differs_is_sent() -> None:
    """One row is taken back and one is stated, as of one instant; the other rows stay."""
    api = FakeApi()
    old = sent(api, HEART, LANTERN)
    new = write_csv(Path("new.csv"), [LANTERN, MENDED])
    assert result_of(api, 1, "correct", old, new, "--yes").exit_code == 0
    back, stated = sent_rows(api.requests[-1])
    as_of = "1970-01-01T01:00:00.000000Z"
    assert [(each["UnitPrice"], each["AsOf"], each.get("Withdrawn")) for each in (back, stated)] == [
        ("2.55", as_of, True),
        ("2.95", as_of, None),
    ]
    assert held(api) == [("71053", "3.39", 1), ("85123A", "2.95", 1)]


_codes = st.lists(st.sampled_from("ABC"), max_size=5)


@given(_codes, _codes)
def test_a_correction_ends_at_the_new_file_and_can_be_undone(old_codes: list[str], new_codes: list[str]) -> None:
    """`correct OLD NEW` and then `correct NEW OLD` ends where it began, also with repeated rows."""
    api = FakeApi()
    old = sent(api, *(row(StockCode=code) for code in old_codes)) if old_codes else write_csv(Path("old.csv"), [])
    new = write_csv(Path("new.csv"), [row(StockCode=code) for code in new_codes])
    states = []
    for hour, files in enumerate([(old, new), (new, old)], 1):
        assert result_of(api, hour, "correct", *files, "--yes").exit_code == 0
        states.append([code for code, _, _ in held(api)])
    assert states == [sorted(new_codes), sorted(old_codes)]


def test_a_killed_correction_goes_on_as_of_its_first_instant() -> None:
    """The batch without an answer goes out again byte for byte."""
    api = FakeApi()
    old = sent(api, *(row(InvoiceNo=str(number)) for number in range(9)))
    new = write_csv(Path("new.csv"), [row(InvoiceNo=str(number), UnitPrice="9") for number in range(9)])
    words = ("correct", old, new, "--yes", "--batch-rows", "4")
    with pytest.raises(Killed):
        run(at(1, killed_at(api, 2, is_lost=True), "first"), *words)
    before = len(api.requests)
    assert run(at(5, api, "second"), *words).exit_code == 0
    assert {each["AsOf"] for request in api.requests[1:] for each in sent_rows(request)} == {
        "1970-01-01T01:00:00.000000Z"
    }
    contents = [request.content for request in api.requests]
    assert set(contents[1:before]) & set(contents[before:])
    assert (len(held(api)), list(Path().glob("*.journal"))) == (9, [])


@pytest.mark.parametrize("words", [("--dry-run",), ()], ids=["--dry-run", "without a terminal"])
def test_nothing_is_sent_unasked(words: Sequence[str]) -> None:
    """A dry run shows lines and amounts. Without a terminal the command asks for --yes."""
    api = FakeApi()
    old, new = sent(api, HEART, LANTERN), write_csv(Path("new.csv"), [LANTERN, MENDED])
    result = result_of(api, 1, "correct", old, new, *words)
    assert (result.exit_code, len(api.requests)) == (0 if words else 2, 1)
    assert "15.30" in result.stdout
    assert "17.70" in result.stdout
    assert words or "--yes" in result.stderr


def test_equal_files_need_no_correction() -> None:
    """Also in another order and with other forms of the same values."""
    api = FakeApi()
    old, new = sent(api, HEART, LANTERN), write_csv(Path("new.csv"), [LANTERN, row(UnitPrice="2.550")])
    assert (result_of(api, 1, "correct", old, new).exit_code, len(api.requests)) == (0, 1)


def test_an_invalid_new_row_stops_the_correction() -> None:
    """Half of a correction is worse than none, so nothing is sent."""
    api = FakeApi()
    old, new = sent(api, HEART), write_csv(Path("new.csv"), [row(Quantity="six")])
    result = result_of(api, 1, "correct", old, new, "--yes")
    assert (result.exit_code, len(api.requests)) == (2, 1)
    assert "new.csv: The row on line 2 is not valid" in result.stderr


def test_an_invalid_old_row_was_never_stored() -> None:
    """So there is nothing of it to take back, which the command says."""
    api = FakeApi()
    old = write_csv(Path("old.csv"), [HEART, row(Quantity="six"), row()[:3]])
    result_of(api, 0, "send", old)
    result = result_of(api, 1, "withdraw", old, "--yes")
    assert (result.exit_code, len(sent_rows(api.requests[-1])), held(api)) == (0, 1, [])
    assert "2 rows of old.csv cannot have been stored" in result.stdout


def test_a_key_that_may_not_correct() -> None:
    """The message says which scope is needed."""
    api = FakeApi()
    old = sent(api, HEART)
    refused = problem(403, "Not permitted", "The API key does not permit this.")
    result = run(at(1, lambda _request: refused), "withdraw", old, "--yes")
    assert (result.exit_code, "correct to take lines back" in result.stderr) == (3, True)
