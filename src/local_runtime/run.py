"""One run: start the pipeline, send the CSV through it, compare, report, and keep serving.

`serve` starts the pipeline without an upload, on stores that stay.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from queue import SimpleQueue

import httpx
from rich.console import Console
from rich.markup import escape

from consumers.lake.refresh import LakeQueue
from invoices.errors import Retryable
from local_runtime.comparison import Expected, compare, read_expected, read_lake, read_stored
from local_runtime.engine import ENGINE
from local_runtime.environment import bypass_proxies, machine_environment
from local_runtime.errors import ProcessEnded, RunError
from local_runtime.folder import DataFolder, RunFolder, lock_data, lock_folder
from local_runtime.messages import Inbox, UploadSummary
from local_runtime.pipeline import API_KEY, API_PORT, HEADER, Pipeline, start_pipeline
from local_runtime.processes import Command, Process, Supervisor, supervise
from local_runtime.report import (
    ExampleQuery,
    Report,
    contract_figures,
    query_examples,
    show_report,
    upload_remarks,
    write_report,
)
from local_runtime.sample import write_sample
from local_runtime.stack.template import read_template
from local_runtime.upload import (
    STALL_SECONDS,
    Progress,
    UploadMonitor,
    UploadResult,
    progress_display,
    start_client,
)
from pipeline_ops.console import plural
from pipeline_ops.expected import FileOptions

_OK, _FAILED = 0, 1
_CLIENT_BAD_INPUT = 2  # the exit code of `client`
_OTHER_OPTIONS = (
    "`make run` passes on only the order of dates: DATES=dmy is --dates dmy. For other options of the client keep "
    "`make serve` running, and use `.venv/bin/python -m client send`"
)
_REQUEST_SECONDS = 30.0
_REFRESH_POLL_SECONDS = 0.05
_SECONDS_BETWEEN_REFRESHES = 60.0


@dataclass(frozen=True)
class RunOptions:
    """`csv` is None for the bundled sample. With `once` the run ends after the report.

    `dates` is the order of dates with slashes, as the client takes it; None lets the client check the file.
    """

    csv: Path | None
    once: bool
    template: Path
    folder: Path
    dates: str | None = None


def run(options: RunOptions, console: Console) -> int:
    """The exit code: with `once`, 0 only if rows were accepted and the stores hold exactly what the CSV holds.

    Raises RunError.
    """
    bypass_proxies()
    if options.csv and not options.csv.is_file():
        raise RunError(f"{options.csv} is not a file" if options.csv.exists() else f"there is no file {options.csv}")
    if options.csv and RunFolder(options.folder).will_delete(options.csv):
        raise RunError(f"{options.csv} is deleted when a run starts: move it to another folder first")
    template = read_template(options.template)
    with (
        lock_folder(options.folder) as folder,
        _explain_loss(_MEMORY_LOSS, lambda: _MEMORY_LOSS),
        supervise() as supervisor,
    ):
        if folder.root != options.folder:
            _print(console, f"another run uses {options.folder}, so this one writes to {folder.root}")
        csv = options.csv or _write_default_sample(folder)
        inbox: Inbox = SimpleQueue()
        _print(console, "starting engine, API and consumers …")
        session = _Session(console, folder, supervisor, inbox, start_pipeline(supervisor, folder, template, inbox))
        exit_code = session.send_and_report(csv, options.dates)
        return exit_code if options.once else session.serve("the stores are in memory and go when this ends")


def serve(template_path: Path, root: Path, console: Console) -> int:
    """Serve the stores under `root`/data until Ctrl-C. Raises RunError."""
    bypass_proxies()
    template = read_template(template_path)
    with lock_data(root / "data") as data, lock_folder(root) as folder:
        saved = partial(_loss_of_saved, data)
        with _explain_loss(_ARCHIVE_KEEPS, saved), supervise() as supervisor:
            inbox: Inbox = SimpleQueue()
            _print(console, "starting engine, API and consumers …")
            pipeline = start_pipeline(supervisor, folder, template, inbox, data)
            session = _Session(console, folder, supervisor, inbox, pipeline)
            if data.needs_rebuild:
                for text in _REBUILT:
                    _print(console, text)
                session.rebuild()
                data.note_rebuilt()
            exit_code = session.serve(f"the stores stay in {data.root}")
        if data.has_unsaved_changes():
            raise RunError(f"{_loss_of_saved(data)}; the reason is in {folder.logs / 'engine.log'}")
        return exit_code


_MEMORY_LOSS = "the stream, the archive and the tables of this run were in memory and are lost; send the file again"
_SEND_AGAIN = "rows of its last second may be missing: send the last file again, each row counts once"
_ARCHIVE_KEEPS = f"{_SEND_AGAIN}; the next start builds the tables and the lake from the archive"
_REBUILT = (
    "the engine was killed, so the tables are built from the archive",
    _SEND_AGAIN,
    "API keys that were made since it was last stopped are gone; revoke those again that were revoked since then",
)


def _loss_of_saved(data: DataFolder) -> str:
    """Ask after the engine was stopped: a full disk, for instance, keeps it from saving."""
    if data.has_unsaved_changes():
        return f"the engine could not save its tables; {_ARCHIVE_KEEPS}"
    return f"nothing is lost: the stores are saved in {data.root}"


@contextmanager
def _explain_loss(of_engine: str, of_others: Callable[[], str]) -> Iterator[None]:
    """If a process ends, its error says what is lost: `of_engine` if it was the engine, else `of_others`."""
    try:
        yield
    except ProcessEnded as error:
        error.loss = of_engine if error.name == ENGINE else of_others()
        raise


class _Session:
    """A running pipeline and the terminal that shows it."""

    def __init__(
        self, console: Console, folder: RunFolder, supervisor: Supervisor, inbox: Inbox, pipeline: Pipeline
    ) -> None:
        self._console = console
        self._folder = folder
        self._supervisor = supervisor
        self._pipeline = pipeline
        self._example_path = "/healthz"
        self._progress = Progress(pipeline.consumers)
        self._stall_seconds = STALL_SECONDS + pipeline.longest_batch_seconds
        self._monitor = UploadMonitor(supervisor, inbox, self._progress, stall_seconds=self._stall_seconds)
        if pipeline.api.port != API_PORT:
            self._print(f"port {API_PORT} is in use, so the API listens on port {pipeline.api.port}")

    def send_and_report(self, csv: Path, dates: str | None) -> int:
        self._print(f"page {self._pipeline.api.url}/console  key {self._pipeline.api_key}")
        self._print(f"API {self._pipeline.api.url}, sending {csv}")
        upload = self._send(csv, dates)
        self._print_warnings(upload)
        if (summary := self._progress.summary) is None:
            self._print(f"the client ended with exit code {upload.exit_code}, so there is nothing to compare")
            names_an_option = "--" in upload.client_errors
            if upload.exit_code == _CLIENT_BAD_INPUT and names_an_option:
                self._print(_OTHER_OPTIONS)
            return _FAILED
        self._refresh_lake()
        self._print("comparing the CSV with the stores …")
        try:
            report, queries = self._make_report(read_expected(csv, FileOptions(dates == "dmy")), summary, upload)
        except (Retryable, httpx.HTTPError) as error:
            self._supervisor.check()
            raise RunError(f"the stores cannot be read: {error}; the logs are in {self._folder.logs}") from error
        write_report(report, self._folder.report)
        if queries:
            self._example_path = queries[0].path
        show_report(self._console, report, queries, self._folder.report)
        return _OK if report.is_success else _FAILED

    def serve(self, stores: str) -> int:
        """Keep serving until Ctrl-C or SIGTERM. Raises ProcessEnded if a process ends."""
        url, key = self._pipeline.api.url, self._pipeline.api_key
        self._print(f"page {url}/console")
        self._print(f"API {url}  docs {url}/docs  AWS {self._pipeline.engine.endpoint}")
        self._print(f"key  export {API_KEY}={key}")
        self._print(f"try  curl -H '{HEADER}: {key}' '{url}{self._example_path}'")
        self._print(stores)
        self._print(f"serving until Ctrl-C; the environment variables are in {self._folder.environment}")
        schedule = self._refresh_schedule()
        try:
            while True:
                self._monitor.poll()
                if schedule and (failure := schedule.poll()):
                    self._print(failure)
        except KeyboardInterrupt:
            self._print("stopping …")
            return _OK

    def _send(self, csv: Path, dates: str | None) -> UploadResult:
        machine = machine_environment(os.environ, self._folder.temporary)
        own_key = {API_KEY: self._pipeline.api_key}
        environment = {**machine, **own_key}
        client = start_client(self._supervisor, self._folder, environment, csv, self._pipeline.api.url, dates)
        with progress_display(self._console) as show:
            return self._monitor.wait(client, show)

    def _refresh_lake(self) -> None:
        """Raises RunError with the end of its log if the refresh fails."""
        if command := self._pipeline.refresh:
            self._print("bringing the rows into the lake …")
            self._wait_for(command)

    def _refresh_schedule(self) -> "RefreshSchedule | None":
        if not (command := self._pipeline.refresh):
            return None
        queue = LakeQueue(self._pipeline.clients.sqs, command.environment["LAKE_QUEUE"])
        return RefreshSchedule(self._supervisor, command, lambda: queue.waiting() > 0)

    def rebuild(self) -> None:
        """Raises RunError with the end of the log if a command fails."""
        for command in self._pipeline.rebuild:
            self._print(f"{command.name} …")
            self._wait_for(command)

    def _wait_for(self, command: Command) -> None:
        process = self._supervisor.start(command)
        while process.exit_code is None:
            self._supervisor.check()
            time.sleep(_REFRESH_POLL_SECONDS)
        if process.exit_code:
            self._supervisor.check()  # a server that has ended is the cause
            process.check()
        self._supervisor.release(process)

    def _print_warnings(self, upload: UploadResult) -> None:
        if upload.client_errors:
            self._print(upload.client_errors)
        for remark in upload_remarks(self._progress.summary) if self._progress.summary else ():
            self._print(remark)
        if upload.has_stalled:
            count = self._progress.pending_rows
            pending = f"{plural(count, 'row')} {'is' if count == 1 else 'are'} not processed yet"
            self._print(
                f"no progress for {self._stall_seconds:.0f} s, and {pending}; the logs are in {self._folder.logs}"
            )

    def _make_report(
        self, expected: Expected, summary: UploadSummary, upload: UploadResult
    ) -> tuple[Report, list[ExampleQuery]]:
        stored = read_stored(self._pipeline.clients, self._pipeline.stores)
        if lake_bucket := self._pipeline.stores.lake_bucket:
            stored.lake = read_lake(self._pipeline.clients, lake_bucket)
        headers = {HEADER: self._pipeline.api_key}
        with httpx.Client(
            base_url=self._pipeline.api.url, headers=headers, trust_env=False, timeout=_REQUEST_SECONDS
        ) as http:
            queries = query_examples(expected, http, _python())
        client_peak = {"client": upload.peak_memory} if upload.peak_memory else {}
        report = Report(
            figures=contract_figures(summary, stored, upload.seconds),
            comparisons=[
                *compare(expected, summary, stored),
                *chain.from_iterable(query.comparisons for query in queries),
            ],
            slices=stored.slices,
            pointers=stored.pointers,
            rows_per_second=self._progress.rows_per_second,
            peak_memory={**client_peak, **self._pipeline.peak_memory()},
        )
        return report, queries

    def _print(self, text: str) -> None:
        _print(self._console, text)


class RefreshSchedule:
    """Keeps the lake fresh while the pipeline serves: every minute a refresh, if new objects wait for one."""

    def __init__(
        self,
        supervisor: Supervisor,
        refresh: Command,
        has_work: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`has_work` may raise Retryable."""
        self._supervisor = supervisor
        self._refresh = refresh
        self._has_work = has_work
        self._clock = clock
        self._due = clock() + _SECONDS_BETWEEN_REFRESHES
        self._running: Process | None = None

    def poll(self) -> str | None:
        """Start a refresh that is due, or end one that is over; never wait. The text says that one has failed."""
        if self._running:
            return self._end(self._running)
        if self._clock() >= self._due:
            self._due = self._clock() + _SECONDS_BETWEEN_REFRESHES
            with suppress(Retryable):  # the engine is busy, or has ended: then the supervisor says so
                if self._has_work():
                    self._running = self._supervisor.start(self._refresh)
        return None

    def _end(self, process: Process) -> str | None:
        if process.exit_code is None:
            return None
        self._running = None
        self._supervisor.release(process)
        if process.exit_code == 0:
            return None
        return f"a refresh of the lake failed, and the next one begins again; its log is {self._refresh.log}"


def _write_default_sample(folder: RunFolder) -> Path:
    write_sample(folder.sample)
    return folder.sample


def _python() -> str:
    """This interpreter, as a user types it in the folder where the run was started."""
    path = Path(sys.executable)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _print(console: Console, text: str) -> None:
    console.print(escape(text), highlight=False, soft_wrap=True)
