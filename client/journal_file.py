"""Where the journal is, whose it is, and that one client at a time has it."""

import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from client.failures import BadInput
from client.journal import Journal
from client.journal_entries import Header, Past, check_is_journal, read_past


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
        past = Past() if fresh else read_past(data)
        _check_same_upload(path, past, header)
        journal = Journal(path, file, past if past.begun else Past())
        journal.start(header)
        try:
            yield journal
        finally:
            if not journal.has_batches:
                journal.remove()


def _check_same_upload(path: Path, past: Past, header: Header) -> None:
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
