"""All measurements, one after the other."""

from itertools import islice
from pathlib import Path

from bench.bill import dollars
from bench.clients import set_environment
from bench.consuming import consumer_findings
from bench.cost import Costed, our_cost, rival_costs
from bench.counted import counted_findings
from bench.finding import Finding
from bench.growth import growth_findings, memory_findings
from bench.imports import Artifacts, import_findings
from bench.ingest import ingest_findings
from bench.loopback import loopback_server
from bench.plot import svg
from bench.prices import read_prices
from bench.reading import read_findings
from bench.rows import sent_batches
from bench.sending import client_findings
from bench.whole_run import whole_run_findings

_MILLION = 1_000_000
_GROWTH = (10_000, 100_000, 1_000_000, 5_000_000)
_MEMORY = (500_000, 5_000_000)
_EVENT_BATCHES = {500: 12, 5000: 6}


def measure(
    csv: Path, artifacts: Path | None, lambda_python: str, *, quick: bool
) -> tuple[list[Costed], list[Finding]]:
    """The designs' costs, and every finding. Without `artifacts`, no cold starts."""
    prices = read_prices()
    ours, rivals = our_cost(csv, 5000, prices, _MILLION), rival_costs(csv, prices, _MILLION)
    findings = [*counted_findings(ours, rivals), *_timed(csv, quick=quick)]
    if artifacts:
        findings += import_findings(Artifacts(artifacts, lambda_python))
    if not quick:
        findings += [*growth_findings(csv, _GROWTH, prices), *whole_run_findings(csv)]
    batches = list(sent_batches(csv, 5000))
    row = batches[0].objects()[0]
    findings += read_findings(batches, row["InvoiceNo"], row["CustomerID"])
    return [ours, *rivals], findings


def _timed(csv: Path, *, quick: bool) -> list[Finding]:
    small, large = (list(islice(sent_batches(csv, rows), count)) for rows, count in _EVENT_BATCHES.items())
    with loopback_server() as url:
        set_environment(url)
        findings = [*ingest_findings(small, large[0]), *consumer_findings(small, large), *client_findings(csv, url)]
        return findings if quick else [*findings, *memory_findings(csv, url, _MEMORY)]


def plotted(costs: list[Costed]) -> str:
    """Speed is that of one core which does all the functions' work, without waiting."""
    cost = {each.design.name: dollars(each.bill.passing) for each in costs}
    speed = {each.design.name: each.counts.rows / sum(each.counts.cpu_seconds.values()) for each in costs}
    return svg(cost, speed)
