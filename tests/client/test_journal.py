"""The journal: one client at a time, on disk before a request, readable wherever it was cut."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from client.batches import Batch
from client.errors import BadInput, CannotWrite
from client.journal import Header, Journal, JournalState, default_journal_path, open_journal, read_past
from client.responses import IngestResponse
from tests.client.fake_api import FakeApi
from tests.client.made_rows import made_rows
from tests.client.run_client import LINE, run, write_text

HEADER = Header(journal=1, url="http://host", size=10, blake2b="00")
PATH = Path("rows.csv.journal")
ACCEPTED = IngestResponse(accepted=2, rejected=0, errors=[])


def _batch(key: str, first: int) -> Batch:
    return Batch(key, made_rows("AB"), b"body", first=first)


def _write(*keys: str) -> bytes:
    """A journal of batches of two rows, all but the last one answered."""
    with open_journal(PATH, HEADER, fresh=True) as journal:
        for number, key in enumerate(keys):
            batch = _batch(key, number * 2)
            asyncio.run(journal.begin(batch))
            if key != keys[-1]:
                journal.answered(batch, ACCEPTED)
    return PATH.read_bytes()


def _answers(data: bytes) -> dict[str, bool]:
    return {key: each.answer is not None for key, each in read_past(data).begun.items()}


def test_it_is_read_back() -> None:
    """Each batch with its rows, and whether it has its answer."""
    past = read_past(_write("a", "b", "c"))
    assert (past.header, _answers(PATH.read_bytes())) == (HEADER, {"a": True, "b": True, "c": False})
    assert [(each.first, each.end, each.size) for each in past.begun.values()] == [(0, 2, 4), (2, 4, 4), (4, 6, 4)]


def test_a_cut_anywhere_leaves_what_came_before() -> None:
    """Never an error, never an answer too many; what is cut off does not come back."""
    whole = _write("a", "b", "c")
    for size in range(len(whole)):
        PATH.write_bytes(whole[:size])
        lines = whole[:size].count(b"\n")
        with open_journal(PATH, HEADER, fresh=False) as journal:
            assert len([each for each in journal.begun if each.answer]) == max(0, lines - 1) // 2
            assert (len(journal.begun), PATH.read_bytes()[-1:]) == (lines // 2, b"\n")


@pytest.mark.parametrize("tail", [b"\0" * 100, b'{"answered":', b"\xff\n\0\0\n"])
def test_a_tail_that_a_loss_of_power_left_is_cut_off(tail: bytes) -> None:
    """It stood for nothing that had gone out."""
    whole = _write("a", "b")
    PATH.write_bytes(whole + tail)
    with open_journal(PATH, HEADER, fresh=False) as journal:
        assert (len(journal.begun), PATH.read_bytes()) == (2, whole)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda lines: [lines[0], b"?", *lines[1:]],
        lambda lines: [lines[0], *lines[2:]],
        lambda lines: [*lines, b'{"answered":"b","accepted":1,"rejected":0,"errors":[]}'],
        lambda lines: [*lines, b'{"begun":"x","first":1,"rows":2,"bytes":1,"blake2b":""}'],
        lambda lines: [*lines, b'{"begun":"x","first":9,"rows":0,"bytes":1,"blake2b":""}'],
        lambda lines: [*lines, b'{"begun":"x","first":"9","rows":1,"bytes":1,"blake2b":""}'],
        lambda lines: [*lines, b'{"split":"unknown"}'],
        lambda lines: [b'{"journal":99}', *lines[1:]],
    ],
)
def test_a_damaged_journal_is_not_guessed_at(spoil: Callable[[list[bytes]], list[bytes]]) -> None:
    """The way out is named, and works."""
    PATH.write_bytes(b"\n".join([*spoil(_write("a", "b").splitlines()), b""]))
    with pytest.raises(BadInput, match="--fresh"), open_journal(PATH, HEADER, fresh=False):
        pass
    with open_journal(PATH, HEADER, fresh=True) as journal:
        assert journal.begun == []


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("content", [b"InvoiceNo,StockCode\n1,2\n", b"x", b'{"other":1}\n'])
def test_another_file_is_never_taken_for_a_journal(content: bytes, *, fresh: bool) -> None:
    """It stays as it was."""
    PATH.write_bytes(content)
    with pytest.raises(BadInput, match="is no journal"), open_journal(PATH, HEADER, fresh=fresh):
        pass
    assert PATH.read_bytes() == content


@pytest.mark.parametrize("fresh", [[], ["--fresh"]])
def test_a_second_client_is_refused(fresh: list[str]) -> None:
    """While the first is at work; exit code 2, and nothing is sent."""
    path, api = write_text(Path("rows.csv"), LINE), FakeApi()
    with open_journal(PATH, HEADER, fresh=False):
        result = run(api, "send", path, *fresh)
    assert (result.exit_code, api.requests, "Another client" in result.stderr) == (2, [], True)
    assert run(api, "send", path).exit_code == 0


@pytest.mark.parametrize("place", ["rows.csv", "rows.rejects.csv", ".", "no/such/place"])
def test_a_bad_place_for_the_journal_sends_nothing(place: str) -> None:
    """The files that are there stay as they were."""
    path, api = write_text(Path("rows.csv"), LINE), FakeApi()
    content = path.read_bytes()
    result = run(api, "send", path, "--journal", place)
    assert (result.exit_code, api.requests, path.read_bytes()) == (2, [], content)


def test_a_read_only_folder_has_its_journals_here() -> None:
    """As it has its rejects."""
    file = Path("/data/rows.csv.gz")
    assert default_journal_path(file, lambda _: True) == Path("/data/rows.csv.gz.journal")
    assert default_journal_path(file, lambda _: False) == Path("rows.csv.gz.journal")


@contextmanager
def _journal(sync: Callable[[int], None]) -> Iterator[Journal]:
    """On a disk that waits as this does."""
    with PATH.open("a+b", buffering=0) as file:
        yield Journal(PATH, file, JournalState(header=HEADER), sync)


def test_batches_in_flight_share_a_wait_for_the_disk() -> None:
    """Three are begun at once: the first waits for itself, the others for each other."""
    waits: list[int] = []

    async def three(journal: Journal) -> None:
        await asyncio.gather(*(journal.begin(_batch(key, 0)) for key in "abc"))

    with _journal(waits.append) as journal:
        asyncio.run(three(journal))
    assert (len(waits), PATH.read_bytes().count(b"begun")) == (2, 3)


def test_after_a_failure_nothing_more_is_written() -> None:
    """The next fsync may succeed and still not have saved what the first one lost."""
    failures = [OSError(5, "Input/output error")]

    def fail_once(_: int) -> None:
        if failures:
            raise failures.pop()

    with _journal(fail_once) as journal:
        for _ in range(2):
            with pytest.raises(CannotWrite):
                asyncio.run(journal.begin(_batch("a", 0)))
    assert PATH.read_bytes().count(b"begun") == 1
