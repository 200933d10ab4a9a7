"""The journal: one client at a time, on disk before a request, readable wherever it was cut."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from client.api import IngestResponse
from client.errors import BadInput, CannotWrite
from client.journal import (
    Header,
    Journal,
    JournaledBatch,
    JournalState,
    default_journal_path,
    open_journal,
    read_journal,
)
from tests.client.fake_api import FakeApi
from tests.client.run_client import LINE, run, write_text

HEADER = Header(journal=1, url="http://host", size=10, blake2b="00")
PATH = Path("rows.csv.journal")
ACCEPTED = IngestResponse(accepted=2, rejected=0, errors=[])


def _batch(key: str, first: int) -> JournaledBatch:
    return JournaledBatch(key, first, rows=2, size=4, digest="00")


def _write(*keys: str) -> bytes:
    """A journal of batches of two rows, all but the last one answered."""
    with open_journal(PATH, HEADER, fresh=True) as journal:
        for number, key in enumerate(keys):
            batch = _batch(key, number * 2)
            asyncio.run(journal.record_batch(batch))
            if key != keys[-1]:
                journal.record_response(key, ACCEPTED)
    return PATH.read_bytes()


def _answers(data: bytes) -> dict[str, bool]:
    return {key: each.response is not None for key, each in read_journal(data).batches.items()}


def test_it_is_read_back() -> None:
    """Each batch with its rows, and whether it has its answer."""
    state = read_journal(_write("a", "b", "c"))
    assert (state.header, _answers(PATH.read_bytes())) == (HEADER, {"a": True, "b": True, "c": False})
    assert [(each.first, each.rows, each.size) for each in state.batches.values()] == [(0, 2, 4), (2, 2, 4), (4, 2, 4)]


def test_a_cut_anywhere_leaves_what_came_before() -> None:
    """Never an error, never an answer too many; what is cut off does not come back."""
    whole = _write("a", "b", "c")
    for size in range(len(whole)):
        PATH.write_bytes(whole[:size])
        lines = whole[:size].count(b"\n")
        with open_journal(PATH, HEADER, fresh=False) as journal:
            assert len([each for each in journal.batches if each.response]) == max(0, lines - 1) // 2
            assert (len(journal.batches), PATH.read_bytes()[-1:]) == (lines // 2, b"\n")


@pytest.mark.parametrize("tail", [b"\0" * 100, b'{"answered":', b"\xff\n\0\0\n"])
def test_a_tail_that_a_loss_of_power_left_is_cut_off(tail: bytes) -> None:
    """It stood for nothing that had gone out."""
    whole = _write("a", "b")
    PATH.write_bytes(whole + tail)
    with open_journal(PATH, HEADER, fresh=False) as journal:
        assert (len(journal.batches), PATH.read_bytes()) == (2, whole)


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
        assert journal.batches == []


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("content", [b"InvoiceNo,StockCode\n1,2\n", b"x", b'{"other":1}\n'])
def test_another_file_is_never_taken_for_a_journal(content: bytes, *, fresh: bool) -> None:
    """It stays as it was."""
    PATH.write_bytes(content)
    with pytest.raises(BadInput, match="is not a journal"), open_journal(PATH, HEADER, fresh=fresh):
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
    """Three start at once: the first waits for itself, the others for each other."""
    waits: list[int] = []

    async def three(journal: Journal) -> None:
        await asyncio.gather(*(journal.record_batch(_batch(key, 0)) for key in "abc"))

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
                asyncio.run(journal.record_batch(_batch("a", 0)))
    assert PATH.read_bytes().count(b"begun") == 1
