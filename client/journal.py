"""Where the journal is, whose it is, and that one client at a time has it."""

import asyncio
import fcntl
import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, TypeAlias, TypedDict, cast

from client.batches import Batch, JournaledBatch, body_digest
from client.errors import BadInput, CannotWrite, UnexpectedResponse
from client.responses import IngestResponse, counted_answer

# The journal's lines, each a JSON object: what they say, and what they come to together.

VERSION = 1
_OPENING = b'{"journal":'

_Json: TypeAlias = Mapping[str, object]


class Header(TypedDict):
    """The first line: of which journal format, of which file, to which API. `size` and `blake2b` are the text's."""

    journal: int
    url: str
    size: int
    blake2b: str


class BegunEntry(TypedDict):
    begun: str
    first: int
    rows: int
    bytes: int
    blake2b: str


class AnsweredEntry(IngestResponse):
    answered: str


class SplitEntry(TypedDict):
    """The API found the batch too large, so its rows are free for other batches."""

    split: str


Entry: TypeAlias = Header | BegunEntry | AnsweredEntry | SplitEntry


@dataclass(slots=True)
class JournalState:
    """What a journal says; `size` is how many of its bytes do, the rest is a line that was cut off."""

    header: Header | None = None
    begun: dict[str, JournaledBatch] = field(default_factory=dict)
    size: int = 0


def to_line(entry: Entry) -> bytes:
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"


def check_is_journal(data: bytes) -> None:
    """Raises BadInput where this may be anything but a journal, perhaps one that was cut off at its very beginning."""
    text = data.rstrip(b"\0")
    if text[: len(_OPENING)] != _OPENING[: len(text)]:
        raise BadInput("The file that should hold the journal is no journal; name another place with --journal.")


def read_past(data: bytes) -> JournalState:
    """Raises BadInput where the journal was damaged elsewhere than at its end. Nothing was sent before its header."""
    past = JournalState()
    entries = list(_whole_entries(data))
    if not entries:
        return past
    past.header = _header(entries[0][0])
    past.size = entries[-1][1]
    for entry, _ in entries[1:]:
        _add(past, entry)
    _check_ranges(sorted(past.begun.values(), key=lambda each: each.first))
    return past


def _whole_entries(data: bytes) -> Iterator[tuple[_Json, int]]:
    """Each entry with the place after it. After a loss of power the last lines may be anything."""
    end, is_readable = 0, True
    for line in data.splitlines(keepends=True):
        end += len(line)
        entry = _parsed(line)
        if entry is None:
            is_readable = False
        elif is_readable:
            yield entry, end
        else:
            raise _damaged()


def _parsed(line: bytes) -> _Json | None:
    if not line.endswith(b"\n"):
        return None
    try:
        entry: object = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return cast("_Json", entry) if isinstance(entry, dict) else None


def _header(entry: _Json) -> Header:
    if entry.get("journal") != VERSION:
        raise BadInput("The journal is of another version of the client; --fresh starts anew.")
    return Header(
        journal=VERSION, url=_text(entry, "url"), size=_number(entry, "size"), blake2b=_text(entry, "blake2b")
    )


def _add(past: JournalState, entry: _Json) -> None:
    if "begun" in entry:
        begun = _begun(entry)
        past.begun[begun.key] = begun
        return
    key = _text(entry, "answered" if "answered" in entry else "split")
    if key not in past.begun:
        raise _damaged()
    if "split" in entry:
        del past.begun[key]
    else:
        past.begun[key] = replace(past.begun[key], answer=_answer(entry, past.begun[key].rows))


def _begun(entry: _Json) -> JournaledBatch:
    first, rows, size = (_number(entry, name) for name in ("first", "rows", "bytes"))
    return JournaledBatch(_text(entry, "begun"), first, rows, size, _text(entry, "blake2b"))


def _answer(entry: _Json, rows: int) -> IngestResponse:
    try:
        return counted_answer(entry, rows)
    except UnexpectedResponse as error:
        raise _damaged() from error


def _check_ranges(begun: Sequence[JournaledBatch]) -> None:
    ends = 0
    for each in begun:
        if each.first < ends or each.rows < 1:
            raise _damaged()
        ends = each.end


def _text(entry: _Json, name: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str):
        raise _damaged()
    return value


def _number(entry: _Json, name: str) -> int:
    value = entry.get(name)
    if type(value) is not int or value < 0:
        raise _damaged()
    return value


def _damaged() -> BadInput:
    return BadInput("The journal of the last upload is damaged; --fresh starts anew, and counts no row twice.")


# The journal beside the file: every batch before its request goes out, and every answer, so that any end can resume.

_Sync = Callable[[int], None]


class Journal:
    """Open, locked and only ever appended to. Nothing more is written once a write has failed."""

    def __init__(self, path: Path, file: BinaryIO, past: JournalState, sync: _Sync = os.fsync) -> None:
        self.path = path
        self._file = file
        self._past = past
        self._sync = sync
        self._written = past.size
        self._safe = 0
        self._has_batches = bool(past.begun)
        self._syncing = asyncio.Lock()
        self._failed = False

    @property
    def begun(self) -> Sequence[JournaledBatch]:
        """The batches of earlier runs."""
        return list(self._past.begun.values())

    @property
    def has_batches(self) -> bool:
        return self._has_batches

    async def begin(self, batch: Batch) -> None:
        """Returns when the batch is on disk, so that its request may go out. Raises CannotWrite.

        The answers that came before are on disk then, too: one wait for each batch, shared by those in flight.
        """
        if batch.begun is None:
            self._has_batches = True
            self._append(
                BegunEntry(
                    begun=batch.key,
                    first=batch.first,
                    rows=len(batch.rows),
                    bytes=len(batch.body),
                    blake2b=body_digest(batch.body),
                )
            )
        await self._until_safe(self._written)

    def answered(self, batch: Batch, answer: IngestResponse) -> None:
        """Raises CannotWrite: then the batch counts as unanswered, and is sent again under its key."""
        self._append(AnsweredEntry(answered=batch.key, **answer))

    def split(self, batch: Batch) -> None:
        self._append(SplitEntry(split=batch.key))

    def start(self, header: Header) -> None:
        """Empty it and write its first line, or cut off what the last run could not finish."""
        with _writable():
            os.truncate(self._file.fileno(), self._past.size)
        if self._past.header is None:
            self._append(header)
        with _writable():
            self._sync(self._file.fileno())
            _sync_folder(self.path.parent)
        self._safe = self._written

    def remove(self) -> None:
        """An upload that is complete needs none. Should it stay after all, the next run only tells the end again."""
        with suppress(OSError):
            self.path.unlink()

    def _append(self, entry: Entry) -> None:
        line = to_line(entry)
        with self._once_failed_for_ever():
            rest = memoryview(line)
            while rest:
                rest = rest[os.write(self._file.fileno(), rest) :]
        self._written += len(line)

    async def _until_safe(self, end: int) -> None:
        async with self._syncing:
            if self._safe >= end:
                return
            written = self._written
            with self._once_failed_for_ever():
                await asyncio.to_thread(self._sync, self._file.fileno())
            self._safe = written

    @contextmanager
    def _once_failed_for_ever(self) -> Iterator[None]:
        """After half a line nothing may follow, and after a failed fsync the next one may report success."""
        if self._failed:
            raise CannotWrite("The journal cannot be written.")
        try:
            with _writable():
                yield
        except CannotWrite:
            self._failed = True
            raise


def _sync_folder(folder: Path) -> None:
    """A new file's name is safe only then."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextmanager
def _writable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CannotWrite(f"The journal cannot be written: {error.strerror or type(error).__name__}.") from error


def default_journal_path(
    file: Path, is_writable: Callable[[Path], bool] = lambda path: os.access(path, os.W_OK)
) -> Path:
    """`rows.csv.journal` beside `rows.csv`; in the current directory where the file's own may not be written."""
    name = file.name + ".journal"
    return file.with_name(name) if is_writable(file.parent) else Path(name)


def check_journal_path(path: Path, source: Path, rejects: Path) -> None:
    """Raises BadInput where the journal would share a file with something else."""
    if path.resolve() in (source.resolve(), rejects.resolve()):
        raise BadInput("The journal needs a file of its own; name another place for it with --journal.")


@contextmanager
def open_journal(path: Path, header: Header, *, fresh: bool) -> Iterator[Journal]:
    """The journal of this upload, new or with its past. A journal without a batch does not stay.

    Raises BadInput where it belongs to another upload or to a client that is at work, or cannot be had at all.
    """
    with _locked(path) as file:
        data = file.read()
        check_is_journal(data)
        past = JournalState() if fresh else read_past(data)
        _check_same_upload(path, past, header)
        journal = Journal(path, file, past if past.begun else JournalState())
        journal.start(header)
        try:
            yield journal
        finally:
            if not journal.has_batches:
                journal.remove()


def _check_same_upload(path: Path, past: JournalState, header: Header) -> None:
    if past.header is None or not past.begun or past.header == header:
        return
    if past.header["url"] != header["url"]:
        raise BadInput(
            f"This file's upload to {past.header['url']} is not complete, says {path}. Complete it first, or name "
            "another journal with --journal, or forget that upload with --fresh."
        )
    raise BadInput(
        f"The file is not the one whose upload is not complete, says {path}: it was changed since. Restore it and go "
        "on, or send it as it is now with --fresh: rows that arrived before and are still in it are not counted twice."
    )


@contextmanager
def _locked(path: Path) -> Iterator[BinaryIO]:
    """The lock goes with the process, however that ends."""
    while True:
        with _opened(path) as file:
            _lock(file, path)
            if _is_at(path, file):
                yield file
                return


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("a+b", buffering=0)
    except OSError as error:
        raise BadInput(
            f"The journal {path} cannot be written: {error.strerror}. Name another place for it with --journal."
        ) from error
    with file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise BadInput("The journal must be a regular file; name another place for it with --journal.")
        file.seek(0)
        yield file


def _lock(file: BinaryIO, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise BadInput(f"Another client is sending this file: it holds {path}.") from error


def _is_at(path: Path, file: BinaryIO) -> bool:
    """False where another client has removed the journal while we waited to lock it."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except OSError:
        return False
