"""Two example queries over HTTP, for an invoice and a customer that the file holds."""

from dataclasses import dataclass
from decimal import Decimal

import httpx
from pydantic import TypeAdapter, ValidationError

from local_runtime.report.expected import Expected
from local_runtime.report.figures import Comparison
from local_runtime.report.tally import Example


@dataclass(frozen=True)
class Answer:
    """The part of an invoice's or customer's answer that is compared; the rest is shown as it came."""

    line_count: int
    total: Decimal


@dataclass(frozen=True)
class Query:
    """`command` is what a user types for the same answer; `text` is the answer's own JSON."""

    command: str
    path: str
    text: str
    comparisons: list[Comparison]


_ANSWER: TypeAdapter[Answer] = TypeAdapter(Answer)
_SHOWN_LINES = 2


def ask_examples(expected: Expected, http: httpx.Client, python: str) -> list[Query]:
    """None for a file without lines; one where no line has a customer. `python` stands in the commands to type."""
    wanted = [("invoice", expected.invoice), ("customer", expected.customer)]
    return [_ask(http, kind, example, python) for kind, example in wanted if example]


def _ask(http: httpx.Client, kind: str, example: Example, python: str) -> Query:
    path = f"/{kind}s/{example.name}"
    parameters = {"limit": _SHOWN_LINES} if kind == "invoice" else {}
    response = http.get(path, params=parameters)
    return Query(
        command=f"{python} -m client {kind} {example.name} --url {str(http.base_url).rstrip('/')}",
        path=str(response.request.url.raw_path, "ascii"),
        text=response.text,
        comparisons=_compared(f"{kind} {example.name}", example, response),
    )


def _compared(name: str, example: Example, response: httpx.Response) -> list[Comparison]:
    try:
        answer = _ANSWER.validate_json(response.content)
    except ValidationError:
        return [Comparison(f"status of {name}", httpx.codes.OK.value, response.status_code)]
    return [
        Comparison(f"lines of {name}", example.lines, answer.line_count),
        Comparison(f"total of {name}", example.amount, answer.total),
    ]
