"""After a scenario: is every row where it belongs, once? One sentence for each broken promise.

What ought to be is taken from the file's own facts, from the foreign records and from what the stream really took.
What is there is read from the stores and from the API.
"""

import asyncio
import gzip
import json
import re
from base64 import b64decode
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from aws.bucket import REJECTED
from aws.rejections import decode
from chaos.foreign import ForeignRecord
from chaos.lake import facts_in_lake, sums_in_lake
from chaos.rows import MARK, Fact, GeneratedRow, facts_of, held_facts
from chaos.stores import Stores
from chaos.upload import ADDRESS, Upload
from client.api import Api, open_api
from client.environment import Environment
from client.errors import ApiUnavailable, NotFound
from local_runtime.event_source_mapping.destinations import DiscardedBatch

_FIRST_ROW_LINE = 2
_GZIP_MAGIC = b"\x1f\x8b\x08"
_RAW_KEY = re.compile(r"raw/(dt=[0-9-]+/hour=[0-9]+)/([^/=]+)(=[0-9a-f]{16})?\.ndjson\.gz")
_NOT_KEPT = re.compile(r'"RejectedRowsNotKept": ([0-9]+)')
_VERSION_WITH_TIME = 7
_UNKNOWN_INVOICE = "NOSUCHINVOICE"
_MOST_QUESTIONS = 20


class NeverAnswered(Exception):
    """The API gave no answer, however often it was asked, although most requests are answered."""


@dataclass(frozen=True, slots=True)
class Observations:
    """What went into a scenario and what it left behind.

    `puts` are the records of our API that the stream took, in order; `asked` the batch ids that the client sent a
    request for; `objects` the whole bucket; `discarded` what Lambda gave up; `logs` all that was logged.
    """

    rows: Sequence[GeneratedRow]
    upload: Upload
    foreign: Sequence[ForeignRecord]
    puts: Sequence[tuple[str, bytes]]
    asked: frozenset[str]
    stores: Stores
    objects: Mapping[str, bytes]
    discarded: Sequence[DiscardedBatch]
    logs: Sequence[str]

    @property
    def facts(self) -> list[Fact]:
        """Every line that holds, as often as it was sent as a row of its own."""
        statements = [each for record in self.foreign for each in record.statements]
        taken_back = Counter(fact for record in self._foreign_bodies for fact in record.taken_back)
        return [*held_facts(facts_of(self.rows), statements), *(Counter(self._foreign_facts) - taken_back).elements()]

    @property
    def withdrawn_invoices(self) -> set[str]:
        """Invoices all of whose lines were taken back."""
        sent = {fact.invoice for fact in (*facts_of(self.rows), *self._foreign_facts)}
        return sent - {fact.invoice for fact in self.facts}

    @property
    def _foreign_facts(self) -> list[Fact]:
        return [fact for record in self._foreign_bodies for fact in record.facts]

    @property
    def _foreign_bodies(self) -> list[ForeignRecord]:
        return list({(record.key, record.data): record for record in self.foreign}.values())

    def objects_under(self, prefix: str) -> dict[str, bytes]:
        return {key: data for key, data in self.objects.items() if key.startswith(prefix)}

    def counts(self) -> dict[str, int]:
        return {
            "uploads": self.upload.starts,
            "rows": len(self.rows),
            "rejected": sum(row.fact is None for row in self.rows),
            "lines": len(self.facts),
            "statements": sum(len(record.statements) for record in self.foreign),
            "batches": len({key for key, _ in self.puts}),
            "foreign": len(self.foreign),
            "raw_objects": len(self.objects_under("raw/")),
            "dead_letters": len(self.objects_under("failed/")),
        }


def broken_promises(seen: Observations, environment: Environment) -> list[str]:
    """`environment` is the client's; the API is asked through it."""
    return [
        *_check_client_report(seen),
        *_check_stream(seen),
        *_check_rejections(seen),
        *_check_archive(seen),
        *_check_tables(seen),
        *_check_lake(seen),
        *_check_dead_letters(seen),
        *_check_receipts(seen),
        *asyncio.run(_check_answers(seen, environment)),
        *_check_logs(seen),
    ]


def _check_client_report(seen: Observations) -> Iterator[str]:
    """Accepted and rejected rows are all rows of the file; each rejected one is named with its line and field."""
    stats = seen.upload.summary.stats
    rejected = [(str(n), row.rejected_for) for n, row in enumerate(seen.rows, _FIRST_ROW_LINE) if row.fact is None]
    expected = (len(seen.rows), len(seen.rows) - len(rejected), len(rejected), 0)
    yield from _unequal(
        "the client's report", expected, (stats.rows_read, stats.accepted, stats.rejected, stats.not_sent)
    )
    reported = [(line, field) for line, field, _reason, *_ in seen.upload.rejects]
    unexplained = [line for line, _field, reason, *_ in seen.upload.rejects if not reason]
    yield from _difference("rejected rows in the client's report", rejected, reported)
    yield from _difference("rejected rows without a reason", [], unexplained)


def _check_stream(seen: Observations) -> Iterator[str]:
    """What was answered as accepted is on the stream, and nothing of ours is there that nobody sent."""
    put = {key for key, _ in seen.puts}
    yield from _difference("answered batches that are not on the stream", [], set(seen.upload.answered) - put)
    yield from _difference("batches on the stream that nobody sent", [], put - seen.asked)


def _check_rejections(seen: Observations) -> Iterator[str]:
    """`rejected/` holds each row that the API rejected, once. Rows that S3 did not take are counted as not kept."""
    rejections = [decode(key, data) for key, data in seen.objects_under(REJECTED).items()]
    kept = Counter(row.errors[0].field or "" for each in rejections for row in each.rows)
    rejected = Counter(row.rejected_for for row in seen.rows if row.rejected_for)
    not_kept = sum(int(count) for log in seen.logs for count in _NOT_KEPT.findall(log))
    yield from _difference("kept rejected rows that nobody sent", [], (kept - rejected).elements())
    missing = (rejected - kept).total()
    if missing > not_kept:
        yield f"rejected rows: {missing} are not kept, and {not_kept} are counted as such"


def _check_archive(seen: Observations) -> Iterator[str]:
    """`raw/` holds every readable batch of the stream, each body once, under its own name.

    A batch that was put twice, because its answer was lost, is still one batch.
    """
    stored = seen.objects_under("raw/")
    names = [match for key in stored if (match := _RAW_KEY.fullmatch(key))]
    bodies = [(_batch_of(key), data) for key, data in stored.items()]
    foreign = [(record.key, record.data) for record in seen.foreign if "to_s3" not in record.failed_in]
    expected = {(key, data) for key, data in (*seen.puts, *foreign) if data.startswith(_GZIP_MAGIC)}
    firsts = [match[2] for match in names if not match[3]]
    misplaced = [match[0] for match in names if match[1] != _folder_of(match[2])]
    yield from _difference("raw objects", expected, bodies)
    yield from _difference("batches whose first body has the batch's name", {key for key, _ in bodies}, firsts)
    yield from _difference("raw objects whose name is no batch's", [], stored.keys() - {each[0] for each in names})
    yield from _difference("raw objects in another hour's folder", [], misplaced)


def _batch_of(key: str) -> str:
    return key.rpartition("/")[2].partition(".ndjson")[0].partition("=")[0]


def _folder_of(batch_id: str) -> str:
    """By the time in a UUIDv7; 1970 for any other name."""
    try:
        uuid = UUID(batch_id)
    except ValueError:
        return "dt=1970-01-01/hour=00"
    seconds = (uuid.int >> 80) / 1000 if uuid.version == _VERSION_WITH_TIME else 0
    return f"{datetime.fromtimestamp(seconds, UTC):dt=%Y-%m-%d/hour=%H}"


def _check_tables(seen: Observations) -> Iterator[str]:
    """The tables hold exactly the accepted rows, and a pointer for every slice that a customer has lines in."""
    slices = list(seen.stores.items(seen.stores.invoices))
    statements: dict[tuple[str, Fact], tuple[str, bool]] = {}
    for item in slices:
        for name, fact, statement in _lines(item):
            statements[name, fact] = max(statements.get((name, fact), statement), statement)
    held = [fact for (_, fact), (_, withdrawn) in statements.items() if not withdrawn]
    pointers = {
        (fact.customer, f"{fact.invoice}#{item['SliceId']['S']}")
        for item in slices
        for _, fact, _ in _lines(item)
        if fact.customer
    }
    stored = [(item["CustomerID"]["S"], item["Slice"]["S"]) for item in seen.stores.items(seen.stores.customers)]
    yield from _difference("lines in the tables", seen.facts, held)
    yield from _difference("pointers", pointers, stored)


def _check_lake(seen: Observations) -> Iterator[str]:
    """The lake holds exactly the lines that the tables hold, and its summaries add up to them."""
    expected = seen.facts
    yield from _difference("lines in the lake", expected, facts_in_lake(seen.stores))
    sums = len(expected), sum((fact.amount for fact in expected), Decimal(0))
    yield from _unequal("the lake's summaries", sums, sums_in_lake(seen.stores))


def _lines(item: Mapping[str, Any]) -> Iterator[tuple[str, Fact, tuple[str, bool]]]:
    """Each with what tells it from equal lines: its own id, or its number among rows with the same content.

    The last is what the item states about the line: when, in UTC, and whether it is taken back.
    """
    columns = item["Columns"]["S"].split(",")
    for entry in item["Lines"]["L"]:
        values = {**item, **dict(zip(columns, entry["L"], strict=True))}
        yield (
            values.get("LineId", {}).get("S") or values.get("Occurrence", {}).get("N", "1"),
            Fact(
                invoice=values["InvoiceNo"]["S"],
                stock_code=values["StockCode"]["S"],
                description=values.get("Description", {}).get("S"),
                quantity=int(values["Quantity"]["N"]),
                date=values["InvoiceDate"]["S"],
                price=Decimal(values["UnitPrice"]["N"]),
                customer=values.get("CustomerID", {}).get("S"),
                country=values["Country"]["S"],
            ),
            (values.get("AsOf", {}).get("S", ""), values.get("Withdrawn", {}).get("BOOL", False)),
        )


def _check_dead_letters(seen: Observations) -> Iterator[str]:
    """`failed/` holds each dead letter once, with its reason and without a row's content; Lambda discarded nothing."""
    stored = {key: json.loads(data) for key, data in seen.objects_under("failed/").items()}
    expected = {
        (stage, record.key, b"\n".join(record.bad_rows) if record.bad_rows else record.data)
        for record in seen.foreign
        for stage in record.failed_in
    }
    unexplained = [key for key, document in stored.items() if not _is_explained(document)]
    elsewhere = [key for key in seen.objects if not key.startswith(("raw/", "failed/", REJECTED))]
    yield from _difference("dead letters", expected, map(_dead_letter, stored.values()))
    yield from _difference("dead letters without a reason, or with a row's content in it", [], unexplained)
    yield from _difference("batches that Lambda discarded", [], [each.batch.condition for each in seen.discarded])
    yield from _difference("objects elsewhere in the bucket", [], elsewhere)


def _dead_letter(document: Mapping[str, Any]) -> tuple[str, str, bytes]:
    """Rows that were picked from a record are compared as rows; no promise says how they are packed."""
    payload = b64decode(document["payload_base64"])
    return document["stage"], document["batch_id"], gzip.decompress(payload) if document["errors"] else payload


def _is_explained(document: Mapping[str, Any]) -> bool:
    explanation = json.dumps([document["reason"], document["errors"]])
    return bool(document["reason"] and document["sequence_number"]) and MARK not in explanation


def _check_receipts(seen: Observations) -> Iterator[str]:
    """Each readable record has one receipt for its body, of all of its rows, however often it was delivered.

    A record that takes its batch back has none: the receipts of a batch count what was sent as it.
    """
    accepted = {(key, gzip.decompress(data)): 0 for key, data in seen.puts}
    with_receipt = [record for record in seen.foreign if not record.taken_back]
    readable = [record for record in with_receipt if record.bad_rows or "to_dynamodb" not in record.failed_in]
    set_aside = {(record.key, gzip.decompress(record.data)): len(record.bad_rows) for record in readable}
    expected = [(key, len(_rows_in(body)), bad) for (key, body), bad in (accepted | set_aside).items()]
    yield from _difference("receipts", expected, map(_counted, seen.stores.items(seen.stores.batches)))


def _rows_in(body: bytes) -> list[bytes]:
    return [line for line in body.splitlines() if line.strip()]


def _counted(receipt: Mapping[str, Any]) -> tuple[str, int, int]:
    stored, set_aside = (int(receipt[name]["N"]) for name in ("Stored", "SetAside"))
    return receipt["BatchId"]["S"], stored + set_aside, set_aside


async def _check_answers(seen: Observations, environment: Environment) -> list[str]:
    """Every invoice and every customer, with lines and totals, as the client gets them from the API."""
    findings: list[str] = []
    facts = seen.facts
    async with open_api(ADDRESS, environment, lambda: False) as api:
        for name in sorted({fact.invoice for fact in facts}):
            answer = await _ask(api, f"invoices/{name}")
            findings += _check_invoice(name, answer, [fact for fact in facts if fact.invoice == name])
        for name in sorted({fact.customer for fact in facts if fact.customer}):
            answer = await _ask(api, f"customers/{name}")
            findings += _check_customer(name, answer, [fact for fact in facts if fact.customer == name])
        for name in sorted({_UNKNOWN_INVOICE, *seen.withdrawn_invoices}):
            if await _ask(api, f"invoices/{name}"):
                findings.append(f"invoice {name} is found, which was never sent or was taken back")
    return findings


async def _ask(api: Api, path: str) -> Mapping[str, Any] | None:
    """None where the API knows nothing. The client reports honestly that it gives up; a user asks again."""
    for _ in range(_MOST_QUESTIONS):
        with suppress(ApiUnavailable):
            try:
                return await api.get(path, {})
            except NotFound:
                return None
    raise NeverAnswered(path)


def _check_invoice(name: str, answer: Mapping[str, Any] | None, facts: Sequence[Fact]) -> Iterator[str]:
    if not answer:
        yield f"invoice {name} is not found"
        return
    yield from _difference(f"lines of invoice {name}", facts, [_answered_line(name, line) for line in answer["lines"]])
    yield from _unequal(f"invoice {name}", _expected_totals(facts), _answered_totals(answer))


def _check_customer(name: str, answer: Mapping[str, Any] | None, facts: Sequence[Fact]) -> Iterator[str]:
    if not answer:
        yield f"customer {name} is not found"
        return
    invoices = len({fact.invoice for fact in facts})
    expected = (invoices, *_expected_totals(facts))
    yield from _unequal(f"customer {name}", expected, (answer["invoice_count"], *_answered_totals(answer)))


def _expected_totals(facts: Sequence[Fact]) -> tuple[object, ...]:
    return len(facts), sum(fact.quantity for fact in facts), sum((fact.amount for fact in facts), Decimal(0))


def _answered_totals(answer: Mapping[str, Any]) -> tuple[object, ...]:
    return answer["line_count"], answer["quantity"], Decimal(answer["total"])


def _answered_line(invoice: str, line: Mapping[str, Any]) -> Fact:
    return Fact(
        invoice=invoice,
        stock_code=line["StockCode"],
        description=line["Description"],
        quantity=line["Quantity"],
        date=line["InvoiceDate"],
        price=Decimal(line["UnitPrice"]),
        customer=line["CustomerID"],
        country=line["Country"],
    )


def _check_logs(seen: Observations) -> Iterator[str]:
    """A finding shows the text before the row's content, and not the content."""
    revealing = [text.partition(MARK)[0][:80] for text in seen.logs if MARK in text]
    yield from _difference("log records with a row's content", [], revealing)


def _unequal(name: str, expected: tuple[object, ...], actual: tuple[object, ...]) -> Iterator[str]:
    if expected != actual:
        yield f"{name}: {actual} instead of {expected}"


def _difference(name: str, expected: Iterable[object], actual: Iterable[object]) -> Iterator[str]:
    """What is missing and what is too many, each as a number and one example."""
    want, have = Counter(expected), Counter(actual)
    for what, rest in (("missing", want - have), ("too many", have - want)):
        if rest:
            yield f"{name}: {what} {rest.total()}, such as {next(iter(rest))}"
