"""Runs the command line as a user does, with another environment around it."""

import csv
import json
from collections.abc import Callable, Coroutine, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TypeAlias

import httpx
import typer.testing
from typer.testing import CliRunner, Result

from client.cli import app
from client.columns import COLUMNS
from client.environment import Environment

Handler: TypeAlias = Callable[[httpx.Request], httpx.Response | Coroutine[None, None, httpx.Response]]

typer.testing._get_command = cache(typer.testing._get_command)  # type: ignore[attr-defined]  # noqa: SLF001 - it takes 5 ms

ROW = ("536365", "85123A", "WHITE HOLDER", "6", "12/1/2010 8:26", "2.55", "17850", "United Kingdom")
HEADER = ",".join(COLUMNS)
LINE = ",".join(ROW)


class FakeEnvironment:
    """A clock that moves only by sleeping; keys that are counted; chance that always draws the larger number."""

    def __init__(self, api: Handler, new_key: Callable[[], str] | None = None) -> None:
        self.slept: list[float] = []
        self._keys = 0
        self.environment = Environment(
            transport=httpx.MockTransport(api),  # type: ignore[arg-type]  # it takes either kind, but not one that may be both
            clock=lambda: sum(self.slept),
            now=lambda: sum(self.slept),
            sleep=self._sleep,
            uniform=lambda _low, high: high,
            new_key=new_key or self._new_key,
        )

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def _new_key(self) -> str:
        self._keys += 1
        return f"batch-{self._keys}"


def run(api: Handler | FakeEnvironment, *arguments: str | Path, key: str | None = "key") -> Result:
    """`python -m client …` against this API, with the API key in the environment if there is one."""
    fake = api if isinstance(api, FakeEnvironment) else FakeEnvironment(api)
    words, environment = [str(each) for each in arguments], {"INVOICE_API_KEY": key}
    return CliRunner().invoke(app, words, env=environment, obj=fake.environment, catch_exceptions=False)


def summary_of(result: Result) -> dict[str, object]:
    """The last line of `--json`."""
    summary: dict[str, object] = json.loads(result.stdout.splitlines()[-1])
    return summary


def row(**changes: str) -> tuple[str, ...]:
    """A good row with these fields in place of its own."""
    return tuple(changes.get(name, value) for name, value in zip(COLUMNS, ROW, strict=True))


def write_csv(path: Path, rows: Iterable[Sequence[str]], columns: Sequence[str] = COLUMNS) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([columns, *rows])
    return path


def write_text(path: Path, *lines: str) -> Path:
    """A file of the header and these lines."""
    path.write_text("\n".join([HEADER, *lines, ""]), encoding="utf-8", newline="")
    return path


def read_rejects(path: Path) -> list[list[str]]:
    """Line, field and reason of each reject, then the row's own fields, then the text of a row without fields."""
    with path.open(encoding="utf-8", newline="") as file:
        return [[*each[-4:-1], *each[:-4], each[-1]] for each in csv.reader(file)][1:]
