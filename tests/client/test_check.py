"""`send --dry-run` says what the API would say, and sends nothing."""

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.check import RULES
from client.columns import NORMAL_FORMS
from invoices.fields import RULES as API_RULES
from invoices.rows import read_rows
from tests.client.fake_api import FakeApi
from tests.client.run_client import LINE, ROW, row, run, write_csv, write_text

GOOD = dict(zip(RULES, ROW, strict=True))
TEXTS = st.one_of(
    st.text(max_size=70),
    st.from_regex(r"-?[0-9]{1,11}(\.[0-9]{0,8})?", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9_-]{1,42}(\.0)?", fullmatch=True),
    st.from_regex(r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}( [0-9]{1,2}:[0-9]{2}( ?[AP]M)?)?", fullmatch=True),
    st.from_regex(
        r"[0-9]{4}-[01][0-9]-[0-3][0-9]([T ][0-2][0-9]:[0-6][0-9](\.[0-9]{1,7})?(Z|[+-]0[0-9]:?00)?)?", fullmatch=True
    ),
    st.sampled_from(["", "9999-12-31T23:59-01:00", "x" * 501, "17850.0", "1e3", "\u202eabc", "a\x85b", "a\nb"]),
)


def test_the_messages_are_the_api_s() -> None:
    """For each field that the client sends from a file."""
    assert {name: rule.message for name, rule in RULES.items()} == {name: API_RULES[name] for name in RULES}


@given(st.sampled_from(sorted(RULES)), TEXTS)
def test_the_rules_are_the_api_s(name: str, text: str) -> None:
    """A value passes the dry run if and only if the API takes it."""
    normal = NORMAL_FORMS.get(name, str)(text)
    errors = read_rows([json.dumps({**GOOD, name: normal}).encode()]).errors
    assert bool(RULES[name].is_valid(normal)) == (errors == []), errors


def test_a_dry_run_counts_and_names_reasons() -> None:
    """No key is needed, nothing is sent, and nothing is written."""
    rows = [row(InvoiceNo="1", InvoiceDate="12/9/2010"), row(Quantity="x", Country=""), row(Quantity="y")]
    write_text(Path("rows.csv"), *(",".join(each) for each in rows), "a,b", LINE)
    result = run(api := FakeApi(), "send", "rows.csv", "--dry-run", "--json", key=None)
    report = json.loads(result.stdout)
    assert (result.exit_code, api.requests, [path.name for path in Path().iterdir()]) == (1, [], ["rows.csv"])
    assert {name: report[name] for name in ("rows_read", "valid", "invalid")} == {
        "rows_read": 5,
        "valid": 2,
        "invalid": 3,
    }
    found = Counter({each["message"].split()[0]: each["rows"] for each in report["reasons"]})
    assert found == {"Quantity": 2, "Country": 1, "the": 1}
    ends = ("first_invoice", "last_invoice", "first_date", "last_date")
    assert [report[name] for name in ends] == ["1", "536365", "2010-12-01T08:26:00", "2010-12-09T00:00:00"]


def test_a_dry_run_for_people() -> None:
    """It says the reasons with the first line of each, and a note about the dates."""
    write_csv(Path("rows.csv"), [row(InvoiceDate="1/2/2010"), row(Quantity="x")])
    result = run(FakeApi(), "send", "rows.csv", "--dry-run")
    assert "1 row, the first on line 3: Quantity must be a whole number" in result.stdout
    assert "--dates dmy" in result.stdout


def test_a_file_that_cannot_be_read_does_not_keep_the_others_from_being_checked() -> None:
    """All that is wrong is told at once; the exit code is that of the worst."""
    write_text(Path("rows.csv"), LINE)
    result = run(FakeApi(), "send", "missing.csv", "rows.csv", "--dry-run", "--json")
    assert (result.exit_code, json.loads(result.stdout)["file"]) == (2, "rows.csv")
    assert "missing.csv: The file cannot be read" in result.stderr


@pytest.mark.parametrize("words", [("--dry-run",), ()])
def test_a_header_alone_is_said_to_be_one(words: tuple[str, ...]) -> None:
    """Zeros alone would leave a user to guess."""
    result = run(FakeApi(), "send", write_text(Path("rows.csv")), *words)
    assert (result.exit_code, "The file has a header and no rows." in result.stdout) == (0, True)


@pytest.mark.parametrize("content", ["", "InvoiceNo,Country\n"])
def test_a_dry_run_of_a_file_without_rows(content: str) -> None:
    """An empty file has no invalid row; a wrong header is wrong as it is without --dry-run."""
    Path("rows.csv").write_text(content)
    assert run(FakeApi(), "send", "rows.csv", "--dry-run").exit_code == (2 if content else 0)
