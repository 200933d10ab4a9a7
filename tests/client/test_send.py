"""`client send`: every row of a file is accepted, rejected by name, or said not to be sent."""

import gzip
from pathlib import Path

import pytest

from client.columns import COLUMNS
from tests.client.fake_api import FakeApi, sent_rows
from tests.client.run_client import HEADER, LINE, read_rejects, row, run, summary_of, write_csv, write_text


def test_a_good_file_is_accepted() -> None:
    """Exit code 0, all rows counted, no rejects file."""
    api = FakeApi()
    result = run(api, "send", write_csv(Path("rows.csv"), [row(), row(InvoiceNo="C1", Quantity="-3")]), "--json")
    summary = summary_of(result)
    assert (result.exit_code, len(api.lines), summary["rows_read"], summary["accepted"]) == (0, 2, 2, 2)
    assert (summary["rejects_file"], sorted(Path().iterdir())) == (None, [Path("rows.csv")])


def test_rows_are_sent_in_normal_form_with_their_number() -> None:
    """The API gets one form of equal values, money as text, and the n-th row of one content as n."""
    api = FakeApi()
    rows = [row(UnitPrice="2.50", CustomerID="17850.0"), row(UnitPrice="2.5"), row(CustomerID="", Description="")]
    run(api, "send", write_csv(Path("rows.csv"), rows))
    sent = sent_rows(api.requests[0])
    assert [each["Occurrence"] for each in sent] == [1, 2, 1]
    assert [each["UnitPrice"] for each in sent] == ["2.5", "2.5", "2.55"]
    assert (sent[0]["CustomerID"], sent[0]["Quantity"], sent[0]["InvoiceDate"]) == ("17850", 6, "2010-12-01T08:26:00")
    assert (sent[2]["CustomerID"], sent[2]["Description"]) == (None, None)


def test_a_request_says_what_it_carries() -> None:
    """Headers as the contract has them."""
    api = FakeApi()
    run(api, "send", write_text(Path("rows.csv"), LINE), "--api-key", "secret", "--url", "http://host/stage")
    request = api.requests[0]
    names = ("Content-Type", "Content-Encoding", "Idempotency-Key", "X-Api-Key")
    assert [request.headers[name] for name in names] == ["application/x-ndjson", "gzip", "batch-1", "secret"]
    assert str(request.url) == "http://host/stage/ingest"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("packed", [False, True])
def test_the_same_rows_in_any_file_are_the_same_lines(encoding: str, end: str, *, packed: bool) -> None:
    """Encoding, line ends and gzip make no difference."""
    text = end.join([HEADER, ",".join(row(Description="£5 café")), ""]).encode(encoding)
    Path("rows").write_bytes(gzip.compress(text) if packed else text)
    api = FakeApi()
    assert run(api, "send", "rows").exit_code == 0
    assert [line.Description for line in api.lines.values()] == ["£5 café"]


def test_columns_are_found_by_name() -> None:
    """Their order is the file's."""
    api = FakeApi()
    run(api, "send", write_csv(Path("rows.csv"), [row()[::-1]], COLUMNS[::-1]))
    assert [(line.InvoiceNo, line.Country) for line in api.lines.values()] == [("536365", "United Kingdom")]


def test_refused_rows_are_in_the_rejects_as_they_were() -> None:
    """Exit code 1; line, field, reason, then the row untouched; the good rows are accepted."""
    bad = row(Quantity="x", UnitPrice="1,5", Description="a\nb")
    result = run(FakeApi(), "send", write_csv(Path("rows.csv.gz"), [row(), bad, row()]), "--json")
    rejects = read_rejects(Path("rows.rejects.csv"))
    assert (result.exit_code, summary_of(result)["rejects_file"]) == (1, "rows.rejects.csv")
    assert [each[:2] + each[3:] for each in rejects] == [["3", "Quantity; UnitPrice", *bad, ""]]
    assert rejects[0][2].startswith("Quantity must be a whole number")


def test_a_batch_without_a_good_row_is_all_rejects() -> None:
    """The API's 422 names every row."""
    result = run(FakeApi(), "send", write_csv(Path("rows.csv"), [row(Quantity="x")] * 3), "--json")
    summary = summary_of(result)
    assert (result.exit_code, summary["accepted"], summary["rejected"]) == (1, 0, 3)
    assert [each[0] for each in read_rejects(Path("rows.rejects.csv"))] == ["2", "3", "4"]


def test_ragged_rows_are_rejects_and_their_neighbours_are_sent() -> None:
    """Too few fields, too many, a quote that never closes: each with its line, its fields and its reason."""
    lines = [LINE, "536365,85123A", LINE + ",", LINE, '536365,"85123A,x', LINE]
    api = FakeApi()
    result = run(api, "send", write_text(Path("rows.csv"), *lines), "--json")
    rejects = read_rejects(Path("rows.rejects.csv"))
    assert (result.exit_code, len(api.lines), summary_of(result)["rows_read"]) == (1, 3, 6)
    assert [each[0] for each in rejects] == ["3", "4", "6"]
    assert [each[-1] for each in rejects] == ["536365,85123A", ",".join(row()) + ",", '536365,"85123A,x']


def test_rejects_go_where_the_user_says() -> None:
    """The default file is not made then."""
    run(FakeApi(), "send", write_text(Path("rows.csv"), "x"), "--rejects", "other.csv")
    assert sorted(Path().iterdir()) == [Path("other.csv"), Path("rows.csv")]


@pytest.mark.parametrize("content", [b"", b"\n\r\n", b"\xef\xbb\xbf", gzip.compress(b"", mtime=0)])
def test_an_empty_file_is_no_fault(content: bytes) -> None:
    """It is said to be empty; nothing is sent; exit code 0."""
    Path("rows.csv").write_bytes(content)
    api = FakeApi()
    result = run(api, "send", "rows.csv")
    assert (result.exit_code, api.requests) == (0, [])
    assert ("The file is empty." in result.stdout, "dates" in result.stdout) == (True, False)


@pytest.mark.parametrize("content", [HEADER, HEADER + "\r\n", "\n" + HEADER + "\n\n"])
def test_a_header_alone_is_no_row(content: str) -> None:
    """Exit code 0 and no request."""
    Path("rows.csv").write_text(content, encoding="utf-8", newline="")
    api = FakeApi()
    result = run(api, "send", "rows.csv", "--json")
    assert (result.exit_code, summary_of(result)["rows_read"], api.requests) == (0, 0, [])


def test_an_invoice_of_ten_thousand_lines_is_sent() -> None:
    """It is longer than a batch and is split; nothing of it is lost."""
    rows = (row(StockCode=f"S{number}") for number in range(10_000))
    api = FakeApi()
    run(api, "send", write_csv(Path("rows.csv"), rows), "--batch-rows", "3000")
    assert (len(api.lines), sorted(len(batch) for batch in api.batches)) == (10_000, [1000, 3000, 3000, 3000])


def test_another_batch_size_and_order_give_the_same_lines() -> None:
    """Line ids depend on what the rows say and on how often they say it."""
    rows = [row(InvoiceNo=str(number // 3), StockCode=f"S{number % 2}") for number in range(60)] * 2
    first, second = FakeApi(), FakeApi()
    run(first, "send", write_csv(Path("one.csv"), rows))
    run(second, "send", write_csv(Path("two.csv"), rows[::-1]), "--batch-rows", "7")
    assert (len(first.lines), first.lines.keys()) == (120, second.lines.keys())


def test_rejects_of_another_file_stay() -> None:
    """Two files of one name in two folders: the rejects of each are beside it."""
    for month in ("jan", "feb"):
        Path(month).mkdir()
    run(FakeApi(), "send", write_csv(Path("jan/rows.csv"), [row(Quantity="x")]))
    run(FakeApi(), "send", write_csv(Path("feb/rows.csv"), [row()]))
    assert (Path("jan/rows.rejects.csv").exists(), Path("feb/rows.rejects.csv").exists()) == (True, False)


def test_rejects_of_an_earlier_upload_stay() -> None:
    """The next upload takes the next free name."""
    for name, quantity in (("rows.rejects.csv", "x"), ("rows.rejects-2.csv", "y"), (None, "1")):
        result = run(FakeApi(), "send", write_csv(Path("rows.csv"), [row(Quantity=quantity)]), "--json")
        assert summary_of(result)["rejects_file"] == name
    assert [read_rejects(Path(name))[0][6] for name in ("rows.rejects.csv", "rows.rejects-2.csv")] == ["x", "y"]


def test_another_file_is_not_overwritten_by_rejects() -> None:
    """Exit code 2, before anything is sent."""
    Path("mine.csv").write_text("a,b\n")
    api = FakeApi()
    result = run(api, "send", write_csv(Path("rows.csv"), [row(Quantity="x")]), "--rejects", "mine.csv")
    assert (result.exit_code, api.requests, Path("mine.csv").read_text()) == (2, [], "a,b\n")


def test_rejects_that_were_mended_and_accepted_whole_can_be_deleted() -> None:
    """The summary says so, and not before: the file stays, because it is the user's."""
    run(FakeApi(), "send", write_csv(Path("rows.csv"), [row(Quantity="x"), row(Quantity="y")]))
    rejects = Path("rows.rejects.csv")
    shown = []
    for bad, good in (("x", "7"), ("y", "8")):
        rejects.write_text(rejects.read_text().replace(f",{bad},", f",{good},"))
        shown.append("rows.rejects.csv can be deleted" in run(FakeApi(), "send", rejects).stdout)
    assert (shown, rejects.exists()) == ([False, True], True)
    assert "can be deleted" not in run(FakeApi(), "send", write_csv(Path("rows.csv"), [row()])).stdout


def test_mended_rejects_are_sent_as_they_are() -> None:
    """The columns that were added are ignored, and rejects of rejects have them once."""
    api = FakeApi()
    run(api, "send", write_csv(Path("rows.csv"), [row(), row(Quantity="x"), row(UnitPrice="y")]))
    rejects = Path("rows.rejects.csv")
    rejects.write_text(rejects.read_text().replace(",x,", ",7,"))
    result = run(api, "send", rejects, "--json")
    assert (result.exit_code, [line.Quantity for line in api.lines.values()]) == (1, [6, 7])
    again = Path("rows.rejects.rejects.csv")
    assert again.read_text().splitlines()[0] == rejects.read_text().splitlines()[0]
    assert read_rejects(again)[0][3:] == [*row(UnitPrice="y"), ""]
