"""The whole pipeline on this machine: real processes, real HTTP, the real handlers and client."""

import csv
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from client.environment import Environment
from invoice_stream.commands import app as invoice_stream
from local_runtime.sample import write_sample
from tests.running_pipeline import ROOT, SHARDS, RunningPipeline, run_command, running_pipeline, shuffled
from tests.xlsx import xlsx_of_csv

pytestmark = pytest.mark.end_to_end

ROWS = 6_000
MOST_ATTEMPTS = 20
REAL_FILE = ROOT.parent / "shared" / "data" / "online_retail_2010-12.csv.gz"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sample") / "rows.csv"
    write_sample(path, ROWS)
    return path


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory, sample: Path) -> Iterator[RunningPipeline]:
    with running_pipeline(tmp_path_factory.mktemp("run"), sample) as running:
        yield running


def answers(pipeline: RunningPipeline, sample: Path) -> list[Any]:
    """Every thirtieth invoice, whole, and a customer."""
    with sample.open(encoding="cp1252", newline="") as file:
        numbers = sorted({row["InvoiceNo"] for row in csv.DictReader(file)})
    invoices = [pipeline.get(f"/invoices/{number}") for number in numbers[::30]]
    customer = next(each["customers"][0] for each in invoices if each["customers"])
    return [*invoices, pipeline.get(f"/customers/{customer}"), pipeline.get(f"/customers/{customer}/invoices")]


def test_the_report_finds_the_file_in_the_stores(pipeline: RunningPipeline) -> None:
    """Its figures are the file's, and it says so."""
    report = pipeline.report
    figures = [report[name] for name in ("rows_read", "accepted", "rejected", "lines", "raw_rows")]
    assert (figures, report["agrees"]) == ([ROWS, ROWS, 0, ROWS, ROWS], True)


@pytest.mark.parametrize("how", ["again", "in other batches", "shuffled"])
def test_sending_the_file_again_changes_no_answer(
    pipeline: RunningPipeline, sample: Path, tmp_path: Path, how: str
) -> None:
    """With the same batches, others, or its rows shuffled: only the archive grows."""
    before, stored = answers(pipeline, sample), pipeline.stored()
    file = shuffled(sample, tmp_path / "shuffled.csv") if how == "shuffled" else sample
    sent = pipeline.client("send", file, "--batch-rows", "997" if how == "in other batches" else "5000")
    pipeline.settle()
    after = pipeline.stored()
    assert (sent.returncode, answers(pipeline, sample)) == (0, before), sent.stdout + sent.stderr
    assert after.tally.line_ids >= stored.tally.line_ids
    assert after.raw_rows == stored.raw_rows + ROWS + SHARDS


def test_the_client_shows_an_invoice_and_a_customer(pipeline: RunningPipeline, sample: Path) -> None:
    """As tables, with exact money."""
    with sample.open(encoding="cp1252", newline="") as file:
        row = next(row for row in csv.DictReader(file) if row["CustomerID"])
    invoice = pipeline.client("invoice", row["InvoiceNo"])
    customer = pipeline.client("customer", row["CustomerID"], "--limit", "0")
    assert (invoice.returncode, customer.returncode) == (0, 0)
    assert pipeline.get(f"/invoices/{row['InvoiceNo']}")["lines"][0]["StockCode"] in invoice.stdout
    assert row["InvoiceNo"] in customer.stdout


def test_an_invoice_of_10000_lines(pipeline: RunningPipeline, tmp_path: Path) -> None:
    """Longer than a batch and than many slices, and still one invoice."""
    header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
    rows = "".join(f"LONG-1,{number % 700},,1,12/1/2010 8:26,0.01,4711,EIRE\n" for number in range(10_000))
    (tmp_path / "long.csv").write_text(header + rows)
    assert pipeline.client("send", tmp_path / "long.csv").returncode == 0
    pipeline.settle()
    pages = [pipeline.get("/invoices/LONG-1")]
    pages.append(pipeline.get(f"/invoices/LONG-1?next_token={pages[0]['next_token']}"))
    assert ([page["total"] for page in pages], [len(page["lines"]) for page in pages]) == (["100.00"] * 2, [5000] * 2)
    assert pages[1]["next_token"] is None


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("", "The file is empty."),
        (
            "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n",
            "The file has a header and no rows.",
        ),
    ],
)
def test_a_file_without_rows(tmp_path: Path, content: str, what: str) -> None:
    """A run that stored nothing proves nothing, so it ends with 1 and says why."""
    (tmp_path / "empty.csv").write_text(content)
    finished = subprocess.run(
        run_command(tmp_path / "run", tmp_path / "empty.csv", "--once"),
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 1, finished.stdout + finished.stderr
    assert [text in finished.stdout for text in (what, "✗ no row was sent", "✓")] == [True, True, False]


def test_ctrl_c_leaves_no_process_and_the_next_run_starts_at_once(tmp_path: Path, sample: Path) -> None:
    """Engine, API and consumers go with it."""
    with running_pipeline(tmp_path / "run", sample) as first:
        assert len(first.processes()) == 4
        assert (first.interrupt(), first.processes()) == (0, [])
    with running_pipeline(tmp_path / "run", sample) as second:
        assert second.report["agrees"]


@pytest.mark.skipif(not REAL_FILE.exists(), reason="the real data set is not part of the project")
def test_the_real_data_set(tmp_path: Path) -> None:
    """December 2010, with the figures that were counted from the file by hand."""
    with running_pipeline(tmp_path / "run", REAL_FILE) as pipeline:
        report = pipeline.report
        names = ("rows_read", "accepted", "rejected", "lines", "invoices", "customers", "raw_rows")
        assert [report[name] for name in names] == [42_481, 42_481, 0, 42_481, 2_025, 948, 42_481]
        assert report["compared"]["customer and invoice pairs"]["pipeline"] == 1_708
        invoice, customer = pipeline.get("/invoices/536365"), pipeline.get("/customers/17850")
        assert (invoice["line_count"], invoice["total"]) == (7, "139.12")
        assert (customer["invoice_count"], customer["total"]) == (34, "5391.21")
        assert os.fspath(REAL_FILE.name) in pipeline.output


def shell_blocks(page: str) -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)


def readme_commands() -> list[tuple[str, str]]:
    """The shell blocks of the README that talk to the running API, each with the sample answer that follows, or ""."""
    page = (ROOT / "README.md").read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```\n(?:\n```json\n(.*?)^```)?", page, re.MULTILINE | re.DOTALL)
    return [(block, sample) for block, sample in blocks if "http://127.0.0.1:8000" in block]


def without_chance(answer: str) -> str:
    """JSON in one form, with its fields in their order, but for the ids and the times that each answer has anew."""
    text = json.dumps(json.loads(answer))
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "an id", text)
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00", "a time", text)


def test_every_sample_answer_follows_the_commands_that_give_it() -> None:
    """So the test of the commands compares it."""
    pages = [path.read_text() for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))]
    samples = [sample for _, sample in readme_commands() if sample]
    assert len(samples) == sum(page.count("```json") for page in pages) == 3


def operators_commands() -> list[str]:
    """The README's commands for operators, but for those of the deployment, whose names are placeholders."""
    lines = "".join(shell_blocks("README.md")).splitlines()
    return [line for line in lines if "-m pipeline_ops" in line and "keys create" not in line]


def test_the_commands_of_the_readme_and_the_guide_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each ends with the exit code that is written there, in the pages' order, on a pipeline of its own."""
    write_sample(tmp_path / "sample.csv", ROWS)
    write_sample(tmp_path / "january.csv", 50)
    xlsx_of_csv(tmp_path / "january.csv", tmp_path / "sales.xlsx")
    monkeypatch.chdir(tmp_path)
    with running_pipeline(tmp_path / "run", tmp_path / "sample.csv") as pipeline:
        for block, sample in readme_commands():
            shown = run_block(block, pipeline, tmp_path)
            if sample:
                assert without_chance(shown[shown.rindex('{"batch_id"') :]) == without_chance(sample)
        files = sorted(tmp_path.iterdir())
        guide = "".join(shell_blocks("docs/guide.md")).replace("\\\n", "").splitlines()
        for line in [*operators_commands(), *guide]:
            run_line(line, pipeline)
        assert sorted(tmp_path.iterdir()) == files  # the guide's last command removes what the others wrote


def run_line(line: str, pipeline: RunningPipeline) -> None:
    """A command of ours runs in this process, which saves its start; a shell runs the others."""
    command, _, comment = line.partition("  #")
    before, _, ours = command.rpartition(" | ") if " | invoice-stream " in command else ("", "", command)
    is_ours = "invoice-stream" in ours or "-m pipeline_ops" in ours
    shell, words = (before, shlex.split(ours)) if is_ours else (command, [])
    if shell.startswith("set -a"):  # run_ours does the same
        return
    environment = {**pipeline.environment, "INVOICE_API_URL": pipeline.url}
    written = None
    if shell:
        written = subprocess.run(["sh", "-c", shell], check=True, stdout=subprocess.PIPE, env=environment).stdout
    if not words:
        return
    if words[0] != "invoice-stream":
        words = ["invoice-stream", "ops", *words[3:]]
    arguments = [each.replace(".local/", "") for each in words[1:]]
    expected = int(comment.split()[-1]) if "exit code" in comment else 0
    if "send" not in arguments:
        pipeline.settle()
    done = run_ours(arguments, pipeline, written)
    for _ in range(MOST_ATTEMPTS if {"verify", "--batch"} & set(arguments) else 0):
        if done.exit_code == expected:
            break
        run_ours(["ops", "lake", "refresh"], pipeline)  # the archive, which is read by polling, was a little late
        done = run_ours(arguments, pipeline)
    assert done.exit_code == expected, line + done.output


def run_ours(arguments: Sequence[str], pipeline: RunningPipeline, written: bytes | None = None) -> Result:
    """With the variables of `.local/env`, and no others that the commands look at."""
    return CliRunner().invoke(invoice_stream, arguments, input=written, env=pipeline.names, obj=Environment())


def run_block(block: str, pipeline: RunningPipeline, folder: Path) -> str:
    """What its commands print."""
    places = {"http://127.0.0.1:8000": pipeline.url, ".venv/bin/python": sys.executable, ".local": str(folder)}
    for written, here in places.items():
        block = block.replace(written, here)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        env=pipeline.environment,
    )
    assert done.returncode == 0, block + done.stdout + done.stderr
    return done.stdout
