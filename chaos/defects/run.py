"""Plants all defects, some at a time, and says which were caught and by which test."""

from concurrent.futures import ThreadPoolExecutor

from rich.console import Console

from chaos.defects.catalogue import DEFECTS
from chaos.defects.planting import Outcome, Planted, plant


def run_defects(console: Console, only: str | None, jobs: int) -> bool:
    """True if every one was caught."""
    chosen = [defect for defect in DEFECTS if only is None or only in defect.name]
    with ThreadPoolExecutor(jobs) as pool:
        results = [_shown(console, planted) for planted in pool.map(plant, chosen)]
    caught = results.count(Outcome.CAUGHT)
    console.print(f"{caught} of {len(results)} planted defects were caught", highlight=False)
    return bool(results) and caught == len(results)


def _shown(console: Console, planted: Planted) -> Outcome:
    by = f"  by {planted.by}" if planted.by else ""
    console.print(f"{planted.outcome:<10}  {planted.defect.name}{by}", highlight=False, markup=False)
    return planted.outcome
