"""One run: start the pipeline, send the CSV through it, compare, report, and keep serving."""

import os
import sys
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from queue import SimpleQueue

import httpx
from rich.console import Console
from rich.markup import escape

from local_runtime.environment import machine_environment
from local_runtime.errors import RunError
from local_runtime.folder import RunFolder, held_folder
from local_runtime.processes import Supervisor, supervised
from local_runtime.report import (
    Expected,
    Query,
    Report,
    ask_examples,
    compared,
    contract,
    read_expected,
    read_stored,
    rows_per_second,
    show_report,
    write_report,
)
from local_runtime.sample import write_sample
from local_runtime.services import API_KEY, HEADER, PREFERRED_PORT, Pipeline, start_pipeline
from local_runtime.stack.template import read_template
from local_runtime.upload import (
    PATIENCE_SECONDS,
    Follower,
    Inbox,
    Progress,
    Upload,
    UploadSummary,
    shown_progress,
    start_client,
)

_OK, _FAILED = 0, 1
_ANSWER_SECONDS = 30.0


@dataclass(frozen=True)
class RunOptions:
    """`csv` is None for the bundled sample. With `once` the run ends after the report."""

    csv: Path | None
    once: bool
    template: Path
    folder: Path


def run(options: RunOptions, console: Console) -> int:
    """The exit code: with `once` 0 only if the stores hold exactly what the CSV holds. Raises RunError."""
    if options.csv and not options.csv.is_file():
        raise RunError(f"there is no file {options.csv}")
    template = read_template(options.template)
    with held_folder(options.folder) as folder, supervised() as supervisor:
        if folder.root != options.folder:
            _say(console, f"another run uses {options.folder}, so this one writes to {folder.root}")
        csv = options.csv or _sample(folder)
        inbox: Inbox = SimpleQueue()
        _say(console, "starting engine, API and consumers …")
        session = _Session(console, folder, supervisor, inbox, start_pipeline(supervisor, folder, template, inbox))
        exit_code = session.send_and_report(csv)
        return exit_code if options.once else session.serve()


def _sample(folder: RunFolder) -> Path:
    write_sample(folder.sample)
    return folder.sample


def _python() -> str:
    """This interpreter, as a user types it who stands where the run was started."""
    path = Path(sys.executable)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _say(console: Console, text: str) -> None:
    console.print(escape(text), highlight=False, soft_wrap=True)


class _Session:
    """A pipeline that runs, and the terminal on which it is watched."""

    def __init__(
        self, console: Console, folder: RunFolder, supervisor: Supervisor, inbox: Inbox, pipeline: Pipeline
    ) -> None:
        self._console = console
        self._folder = folder
        self._supervisor = supervisor
        self._pipeline = pipeline
        self._example = "/healthz"
        self._progress = Progress(pipeline.consumers)
        self._patience = PATIENCE_SECONDS + pipeline.longest_batch_seconds
        self._follower = Follower(supervisor, inbox, self._progress, patience=self._patience)
        if pipeline.api.port_was_taken:
            self._say(f"port {PREFERRED_PORT} is taken, so the API has another")

    def send_and_report(self, csv: Path) -> int:
        self._say(f"API {self._pipeline.api.url}, sending {csv}")
        upload = self._send(csv)
        self._tell_troubles(upload)
        if (summary := self._progress.summary) is None:
            self._say(f"the client ended with exit code {upload.exit_code}, so there is nothing to compare")
            return _FAILED
        self._say("comparing the CSV with the stores …")
        expected = read_expected(csv)
        report, queries = self._report(expected, summary, upload)
        write_report(report, self._folder.report)
        self._example = queries[0].path if queries else self._example
        show_report(self._console, report, queries, self._folder.report)
        return _OK if report.agrees else _FAILED

    def serve(self) -> int:
        """Until Ctrl-C or SIGTERM; raises ProcessEnded should a process die."""
        self._say(f"API {self._pipeline.api.url}  docs {self._pipeline.api.url}/docs  AWS {self._pipeline.endpoint}")
        self._say(f"key  export {API_KEY}={self._pipeline.api_key}")
        self._say(f"try  curl -H '{HEADER}: {self._pipeline.api_key}' '{self._pipeline.api.url}{self._example}'")
        self._say(f"serving; its environment is in {self._folder.environment}; Ctrl-C stops everything")
        try:
            while True:
                self._follower.tick()
        except KeyboardInterrupt:
            self._say("stopping …")
            return _OK

    def _send(self, csv: Path) -> Upload:
        machine = machine_environment(os.environ, self._folder.temporary)
        own_key = {API_KEY: self._pipeline.api_key}
        client = start_client(self._supervisor, self._folder, {**machine, **own_key}, csv, self._pipeline.api.url)
        with shown_progress(self._console) as show:
            return self._follower.follow(client, show)

    def _tell_troubles(self, upload: Upload) -> None:
        if upload.complaint:
            self._say(upload.complaint)
        if self._progress.summary and (rejects := self._progress.summary.rejects_file):
            self._say(f"refused rows, each with its reason, are in {rejects}")
        if upload.stalled:
            missing = f"{self._progress.missing_rows:,} rows are still on their way"
            self._say(f"nothing has moved for {self._patience:.0f} s and {missing}; logs: {self._folder.logs}")

    def _report(self, expected: Expected, summary: UploadSummary, upload: Upload) -> tuple[Report, list[Query]]:
        stored = read_stored(self._pipeline.clients, self._pipeline.places)
        with self._http() as http:
            queries = ask_examples(expected, http, _python())
        client_peak = {"client": upload.peak_memory} if upload.peak_memory else {}
        report = Report(
            contract=contract(summary, stored, upload.seconds),
            comparisons=[*compared(expected, summary, stored), *chain.from_iterable(q.comparisons for q in queries)],
            slices=stored.slices,
            pointers=stored.pointers,
            rows_per_second=rows_per_second(self._progress),
            peak_memory={**client_peak, **self._pipeline.peak_memory()},
        )
        return report, queries

    def _http(self) -> httpx.Client:
        headers = {HEADER: self._pipeline.api_key}
        return httpx.Client(base_url=self._pipeline.api.url, headers=headers, trust_env=False, timeout=_ANSWER_SECONDS)

    def _say(self, text: str) -> None:
        _say(self._console, text)
