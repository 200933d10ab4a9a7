"""The journal beside the file: each batch before its request goes out, and each response, so that any end can resume.

Each line is a JSON object. The first line says which upload it is; the others say that a batch was `begun`, `answered`
or `split`, or which file has the `rejects`. A line is only ever appended, and one client at a time holds the journal.
"""

import asyncio
import json
import os
import stat
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, NotRequired, TypeAlias, TypedDict, cast

from filelock import lock_descriptor

from client.api import IngestResponse, parse_ingest_response
from client.errors import BadInput, CannotWrite, UnexpectedResponse

VERSION = 1
_OPENING = b'{"journal":'

_Sync = Callable[[int], None]
_Json: TypeAlias = Mapping[str, object]


class Header(TypedDict):
    """The first line: of which journal format, to which API, of which file. `size` and `blake2b` are the text's.

    `options` are those of the command that decide how the file is read. `as_of` is the instant of a correction. A run
    that goes on with an earlier one takes that one's.
    """

    journal: int
    url: str
    size: int
    blake2b: str
    options: NotRequired[str]
    as_of: NotRequired[str]


@dataclass(frozen=True, slots=True)
class JournaledBatch:
    """A batch whose request was made, or was about to be. Rows are counted over the file from 0, broken ones left out.

    `size` and `digest` are the body's. `response` None means that the API may have the batch or not.
    """

    key: str
    first: int
    rows: int
    size: int
    digest: str
    response: IngestResponse | None = None


@dataclass(slots=True)
class JournalState:
    """What a journal says in its first `size` bytes; the rest of it is a line that was cut off."""

    header: Header | None = None
    batches: dict[str, JournaledBatch] = field(default_factory=dict)
    rejects: Path | None = None
    size: int = 0


def default_journal_path(
    file: Path, is_writable: Callable[[Path], bool] = lambda path: os.access(path, os.W_OK)
) -> Path:
    """`rows.csv.journal` beside `rows.csv`; in the current directory where the file's own cannot be written."""
    name = file.name + ".journal"
    return file.with_name(name) if is_writable(file.parent) else Path(name)


def check_journal_path(path: Path, source: Path, rejects: Path) -> None:
    """Raises BadInput where the journal would share a file with something else."""
    if path.resolve() in (source.resolve(), rejects.resolve()):
        raise BadInput("The journal needs a file of its own. Name another place for it with --journal.")


@contextmanager
def open_journal(path: Path, header: Header, *, fresh: bool) -> Iterator["Journal"]:
    """The journal of this upload, new or with what earlier runs wrote. It is removed at the end if it has no batch.

    Raises BadInput where it belongs to another upload or another client holds it, where it is damaged, or where it
    cannot be opened.
    """
    with _open_locked(path) as file:
        data = file.read()
        _check_is_journal(data)
        state = JournalState() if fresh else read_journal(data)
        _check_same_upload(path, state, header)
        journal = Journal(path, file, state if state.batches else JournalState())
        journal.start(header)
        try:
            yield journal
        finally:
            if not journal.has_batches:
                journal.remove()


class Journal:
    """Open, locked, and only appended to. After a write has failed, every further one raises CannotWrite.

    `batches` and `rejects` are those of earlier runs. `as_of` is the instant of the correction that this is of, if any.
    """

    def __init__(self, path: Path, file: BinaryIO, state: JournalState, sync: _Sync = os.fsync) -> None:
        self.path = path
        self.batches: Sequence[JournaledBatch] = list(state.batches.values())
        self._file = file
        self._header = state.header
        self.as_of: str | None = None
        self._keys = set(state.batches)
        self.rejects = state.rejects
        self._sync = sync
        self._written = state.size
        self._safe = 0
        self._syncing = asyncio.Lock()
        self._has_failed = False

    @property
    def has_batches(self) -> bool:
        return bool(self._keys)

    def start(self, header: Header) -> None:
        """Cut off what the last run could not finish; a new journal gets its first line."""
        self.as_of = (self._header or header).get("as_of")
        with _translate_errors():
            os.truncate(self._file.fileno(), self._written)
        if self._header is None:
            self._append(header)
        with _translate_errors():
            self._sync(self._file.fileno())
            _sync_folder(self.path.parent)
        self._safe = self._written

    async def record_batch(self, batch: JournaledBatch) -> None:
        """Return when the batch is on disk and its request may go out. One of an earlier run is not written again.

        All responses that were recorded before are on disk then, too: batches in flight share their waits for the disk.
        """
        if batch.key not in self._keys:
            self._keys.add(batch.key)
            self._append(
                {
                    "begun": batch.key,
                    "first": batch.first,
                    "rows": batch.rows,
                    "bytes": batch.size,
                    "blake2b": batch.digest,
                }
            )
        await self._wait_until_safe(self._written)

    def record_response(self, key: str, response: IngestResponse) -> None:
        """After CannotWrite the batch has no response, so the next run sends it again under its key."""
        self._append({"answered": key, **response})

    def record_split(self, key: str) -> None:
        """The API found the batch too large; its rows go into other batches."""
        self._append({"split": key})

    def record_rejects(self, path: Path) -> None:
        """This upload writes its rejected rows to `path`, so its next run may replace that file."""
        self._append({"rejects": str(path)})

    def remove(self) -> None:
        """Windows does not remove an open file; an empty one says as well that no upload is incomplete."""
        try:
            self.path.unlink()
        except OSError:
            with suppress(OSError):
                os.truncate(self._file.fileno(), 0)

    def _append(self, entry: _Json | Header) -> None:
        line = json.dumps(entry, separators=(",", ":")).encode() + b"\n"
        with self._stop_at_first_failure():
            rest = memoryview(line)
            while rest:
                rest = rest[os.write(self._file.fileno(), rest) :]
        self._written += len(line)

    async def _wait_until_safe(self, end: int) -> None:
        async with self._syncing:
            if self._safe >= end:
                return
            written = self._written
            with self._stop_at_first_failure():
                await asyncio.to_thread(self._sync, self._file.fileno())
            self._safe = written

    @contextmanager
    def _stop_at_first_failure(self) -> Iterator[None]:
        """Nothing may follow half a line; and after a failed fsync the next one may report success."""
        if self._has_failed:
            raise CannotWrite("The journal cannot be written.")
        try:
            with _translate_errors():
                yield
        except CannotWrite:
            self._has_failed = True
            raise


def read_journal(data: bytes) -> JournalState:
    """Raises BadInput where the journal has another version, or is damaged elsewhere than at its end.

    A journal without a whole header counts as empty: nothing was sent before the header was on disk.
    """
    lines = list(_whole_lines(data))
    if not lines:
        return JournalState()
    state = JournalState(_header(lines[0][0]), size=lines[-1][1])
    for entry, _ in lines[1:]:
        _apply(entry, state)
    end = 0
    for batch in sorted(state.batches.values(), key=lambda each: each.first):
        if batch.first < end or batch.rows < 1:
            raise _JournalDamaged
        end = batch.first + batch.rows
    return state


class _JournalDamaged(BadInput):
    def __init__(self) -> None:
        super().__init__("The journal of the last upload is damaged. --fresh starts anew; no row is counted twice.")


def _whole_lines(data: bytes) -> Iterator[tuple[_Json, int]]:
    """Each entry, and where the next one begins. After a loss of power the last lines may hold anything."""
    end, is_readable = 0, True
    for line in data.splitlines(keepends=True):
        end += len(line)
        entry = _parse(line)
        if entry is None:
            is_readable = False
        elif is_readable:
            yield entry, end
        else:
            raise _JournalDamaged


def _parse(line: bytes) -> _Json | None:
    if not line.endswith(b"\n"):
        return None
    try:
        entry: object = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return cast("_Json", entry) if isinstance(entry, dict) else None


def _header(entry: _Json) -> Header:
    if entry.get("journal") != VERSION:
        raise BadInput("The journal was written by another version of the client. --fresh starts anew.")
    header = Header(
        journal=VERSION, url=_text(entry, "url"), size=_number(entry, "size"), blake2b=_text(entry, "blake2b")
    )
    if "options" in entry:
        header["options"] = _text(entry, "options")
    if "as_of" in entry:
        header["as_of"] = _text(entry, "as_of")
    return header


def _apply(entry: _Json, state: JournalState) -> None:
    batches = state.batches
    if "rejects" in entry:
        state.rejects = Path(_text(entry, "rejects"))
        return
    if "begun" in entry:
        key = _text(entry, "begun")
        first, rows, size = (_number(entry, name) for name in ("first", "rows", "bytes"))
        batches[key] = JournaledBatch(key, first, rows, size, _text(entry, "blake2b"))
        return
    key = _text(entry, "answered" if "answered" in entry else "split")
    if key not in batches:
        raise _JournalDamaged
    batch = batches.pop(key)
    if "split" not in entry:
        batches[key] = replace(batch, response=_response(entry, batch.rows))


def _response(entry: _Json, rows: int) -> IngestResponse:
    try:
        return parse_ingest_response(entry, rows)
    except UnexpectedResponse as error:
        raise _JournalDamaged from error


def _text(entry: _Json, name: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str):
        raise _JournalDamaged
    return value


def _number(entry: _Json, name: str) -> int:
    value = entry.get(name)
    if type(value) is not int or value < 0:
        raise _JournalDamaged
    return value


def _check_is_journal(data: bytes) -> None:
    """Raises BadInput unless this is a journal, perhaps one that was cut off within its first line."""
    text = data.rstrip(b"\0")
    if text[: len(_OPENING)] != _OPENING[: len(text)]:
        raise BadInput("The file that should hold the journal is not a journal. Name another place with --journal.")


def _check_same_upload(path: Path, state: JournalState, header: Header) -> None:
    earlier = state.header
    if earlier is None or not state.batches:
        return
    if earlier["url"] != header["url"]:
        raise BadInput(
            f"{path} says that this file's upload to {earlier['url']} is incomplete. Complete it first, or name "
            "another journal with --journal, or forget that upload with --fresh."
        )
    if (earlier["size"], earlier["blake2b"]) != (header["size"], header["blake2b"]):
        raise BadInput(
            f"{path} says that an upload is incomplete, and the file was changed since. Restore the file to resume it, "
            "or send the changed file with --fresh: rows that arrived before and are still in it are not counted twice."
        )
    if (options := earlier.get("options", "")) != header.get("options", ""):
        raise BadInput(
            f"{path} says that an upload is incomplete, begun with {options or 'neither --dates dmy nor --columns'}. "
            "Give the same options to resume it. If they were wrong, take the file back with them (`withdraw`), and "
            "then send it with --fresh."
        )


@contextmanager
def _open_locked(path: Path) -> Iterator[BinaryIO]:
    """The lock ends with the process, however that ends."""
    while True:
        with _open(path) as file:
            _lock(file, path)
            if _is_at(path, file):
                yield file
                return


@contextmanager
def _open(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("a+b", buffering=0)
    except OSError as error:
        raise BadInput(
            f"The journal {path} cannot be written: {error.strerror}. Name another place for it with --journal."
        ) from error
    with file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise BadInput("The journal must be a regular file. Name another place for it with --journal.")
        file.seek(0)
        yield file


def _lock(file: BinaryIO, path: Path) -> None:
    try:
        is_locked = lock_descriptor(file.fileno(), blocking=False)
    except OSError as error:
        raise BadInput(
            f"The journal {path} cannot be locked: {error.strerror}. Name another place for it with --journal."
        ) from error
    if not is_locked:
        raise BadInput(f"Another client is sending this file: it holds {path}.")


def _is_at(path: Path, file: BinaryIO) -> bool:
    """False where another client removed the journal between our opening and our locking it."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except OSError:
        return False


def _sync_folder(folder: Path) -> None:
    """Only then does a new file's name survive a loss of power. Windows cannot open a folder."""
    if sys.platform == "win32":
        return
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextmanager
def _translate_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CannotWrite(f"The journal cannot be written: {error.strerror or type(error).__name__}.") from error
