"""After a scenario: is every row where it belongs, once? One sentence for each broken promise.

What ought to be comes from the observations, which compute it without the code under test. What is there is read from
the stores and from the API. Of the product's code only these read: `decode` a rejection, `batch_id_or` the name of a
dead letter, and the client's `Api` an answer.
"""

import asyncio
import json
import re
from base64 import b64decode
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from boto3.dynamodb.types import TypeDeserializer

from aws.bucket import ERASED, REJECTED
from aws.rejections import decode
from chaos.faults import NeverEnds
from chaos.observations import Observations, Rows, contents
from chaos.rows import COLUMNS, MARK, Fact, GeneratedRow
from chaos.upload import ADDRESS
from client.api import Api, open_api
from client.environment import Environment
from client.errors import ApiUnavailable, NotFound
from invoices.batch import batch_id_or

_PLAIN = TypeDeserializer()  # from DynamoDB's form of values
_FIRST_ROW_LINE = 2
_SECOND_BODY = re.compile(r"=[0-9a-f]{16}(?=\.ndjson\.gz)")
_NOT_KEPT = re.compile(r'"RejectedRowsNotKept": ([0-9]+)')
_UNNAMED = "unnamed"  # stands in the key of a dead letter for what is no batch id
_NAME_ENDS = re.compile("[/.=]")
_VERSION_WITH_TIME = 7
_UNKNOWN_INVOICE = "invoices/NOSUCHINVOICE"
_MOST_QUESTIONS = 20


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
        *_check_erased(seen),
    ]


def _check_client_report(seen: Observations) -> Iterator[str]:
    """Accepted and rejected rows are all rows of the file; each rejected one is named with its line and field."""
    stats = seen.upload.stats
    rejected = [(str(n), row.rejected_for) for n, row in enumerate(seen.rows, _FIRST_ROW_LINE) if row.fact is None]
    expected = (len(seen.rows), len(seen.rows) - len(rejected), len(rejected), 0)
    yield from _unequal(
        "the client's report", expected, (stats.rows_read, stats.accepted, stats.rejected, stats.not_sent)
    )
    reported = [(line, field) for line, field, _reason in seen.upload.rejects]
    unexplained = [line for line, _field, reason in seen.upload.rejects if not reason]
    yield from _difference("rejected rows in the client's report", rejected, reported)
    yield from _difference("rejected rows without a reason", [], unexplained)


def _check_stream(seen: Observations) -> Iterator[str]:
    """What was answered as accepted is on the stream, and nothing of ours is there that nobody sent."""
    put = {each.key for each in seen.puts}
    yield from _difference("answered batches that are not on the stream", [], set(seen.upload.answered) - put)
    yield from _difference("batches on the stream that nobody sent", [], put - set(seen.asked))


def _check_rejections(seen: Observations) -> Iterator[str]:
    """`rejected/` holds each row that the API rejected, once. Rows that S3 did not take are counted as not kept.

    Those of an erased customer may be gone.
    """
    rejections = [decode(key, data) for key, data in seen.objects_under(REJECTED).items()]
    kept = Counter(row.errors[0].field for each in rejections for row in each.rows)
    rejected_rows = [row for row in seen.rows if row.rejected_for]
    rejected = Counter(row.rejected_for for row in rejected_rows)
    of_others = Counter(row.rejected_for for row in rejected_rows if not _is_of_erased(seen, row))
    not_kept = sum(int(count) for log in seen.logs for count in _NOT_KEPT.findall(log))
    yield from _difference("kept rejected rows that nobody sent", [], (kept - rejected).elements())
    missing = (of_others - kept).total()
    if missing > not_kept:
        yield f"rejected rows: {missing} are not kept, and {not_kept} are counted as such"


def _is_of_erased(seen: Observations, row: GeneratedRow) -> bool:
    return seen.erasure is not None and seen.erasure.customer in row.texts[COLUMNS.index("CustomerID")]


def _check_archive(seen: Observations) -> Iterator[str]:
    """`raw/` holds every readable batch of the stream, each body once, under its own name.

    A batch that was put twice, because its answer was lost, is still one batch. Nobody misses a body of which only
    erased rows are left.
    """
    stored = seen.objects_under("raw/")
    archived = [record for record in seen.records if "to_s3" not in record.failed_in]
    expected = {(record.key, rows) for record in archived for rows in seen.rows_left(record) if rows}
    batches = {key: key.rpartition("/")[2].partition(".ndjson")[0].partition("=")[0] for key in stored}
    firsts = {f"raw/{_folder_of(batch)}/{batch}.ndjson.gz" for batch in batches.values()}
    strange = [key for key in stored if _SECOND_BODY.sub("", key) not in firsts]
    found = [(batches[key], rows) for key, data in stored.items() if (rows := contents(data))]
    yield from _difference("raw objects", expected, found)
    yield from _difference("first bodies under their batch's own name", firsts, firsts & stored.keys())
    yield from _difference("raw objects under another name or in another hour's folder", [], strange)


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
    slices = [_PLAIN.deserialize({"M": item}) for item in seen.stores.items(seen.stores.invoices)]
    strongest: dict[tuple[object, Fact], tuple[str, bool]] = {}
    pointers = set()
    for item in slices:
        for values in _lines(item):
            fact = Fact.of(values)
            line = values.get("LineId") or values.get("Occurrence") or 1, fact
            statement = values.get("AsOf") or "", bool(values.get("Withdrawn"))
            strongest[line] = max(strongest.get(line, statement), statement)
            if fact.CustomerID:
                pointers.add((fact.CustomerID, f"{fact.InvoiceNo}#{item['SliceId']}"))
    held = [fact for (_, fact), (_, withdrawn) in strongest.items() if not withdrawn]
    stored = [(item["CustomerID"]["S"], item["Slice"]["S"]) for item in seen.stores.items(seen.stores.customers)]
    yield from _difference("lines in the tables", seen.facts, held)
    yield from _difference("pointers", pointers, stored)


def _lines(item: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What is said about each line of a slice. The item itself holds what all its lines share."""
    columns = item["Columns"].split(",")
    return ({**item, **dict(zip(columns, line, strict=True))} for line in item["Lines"])


def _check_lake(seen: Observations) -> Iterator[str]:
    """The lake holds exactly the lines that the tables hold, and its summaries add up to them."""
    expected = seen.facts
    yield from _difference("lines in the lake", expected, seen.stores.lake_facts())
    sums = len(expected), sum((fact.amount for fact in expected), Decimal(0))
    yield from _unequal("the lake's summaries", sums, seen.stores.lake_sums())


def _check_dead_letters(seen: Observations) -> Iterator[str]:
    """`failed/` holds each dead letter once, with its reason and without a row's content; Lambda discarded nothing."""
    stored = {key: json.loads(data) for key, data in seen.objects_under("failed/").items()}
    expected = {
        (stage, record.key, rows)
        for record in seen.records
        for stage in record.failed_in
        for left in seen.rows_left(record)
        if (rows := tuple(row for row in left if row in record.bad_rows or not record.bad_rows))
    }
    found = [
        (document["stage"], document["batch_id"], contents(b64decode(document["payload_base64"])))
        for document in stored.values()
    ]
    unexplained = [key for key, document in stored.items() if not _is_explained(document)]
    elsewhere = [key for key in seen.objects if not key.startswith(("raw/", "failed/", REJECTED, ERASED))]
    yield from _difference("dead letters", expected, [each for each in found if each[2]])
    yield from _difference("dead letters without a reason, or with a row's content in it", [], unexplained)
    yield from _difference("batches that Lambda discarded", [], [each.batch.condition for each in seen.discarded])
    yield from _difference("objects elsewhere in the bucket", [], elsewhere)


def _is_explained(document: Mapping[str, Any]) -> bool:
    explanation = json.dumps([document["reason"], document["errors"]])
    return bool(document["reason"] and document["sequence_number"]) and MARK not in explanation


def _check_receipts(seen: Observations) -> Iterator[str]:
    """Each readable record has one receipt for its body, of all of its rows, however often it was delivered.

    A record that takes its batch back has none: the receipts of a batch count what was sent as it. If rows of it were
    erased, the receipt has them or not, depending on when the record was delivered first.
    """
    bad_rows: dict[tuple[str, Rows], int] = {}
    changed: set[str] = set()
    for record in seen.records:
        rows = contents(record.data)
        if any(left != rows for left in seen.rows_left(record)):
            changed.add(record.key)
        if not record.takes_batch_back and (record.bad_rows or "to_dynamodb" not in record.failed_in):
            bad_rows[record.key, rows] = len(record.bad_rows)
    expected = [(key, sum(map(bool, rows)), bad) for (key, rows), bad in bad_rows.items() if key not in changed]
    found = [each for each in map(_counted, seen.stores.items(seen.stores.batches)) if each[0] not in changed]
    yield from _difference("receipts", expected, found)


def _counted(receipt: Mapping[str, Any]) -> tuple[str, int, int]:
    stored, set_aside = (int(receipt[name]["N"]) for name in ("Stored", "SetAside"))
    return receipt["BatchId"]["S"], stored + set_aside, set_aside


async def _check_answers(seen: Observations, environment: Environment) -> list[str]:
    """Every invoice and every customer, with lines and totals, as the client gets them from the API."""
    async with open_api(ADDRESS, environment, lambda: False) as api:
        return [
            finding
            for path, facts in _questions(seen).items()
            for finding in _check_answer(path, await _ask(api, path), facts)
        ]


def _questions(seen: Observations) -> dict[str, list[Fact]]:
    """What the API is asked, and the facts that it must answer with.

    Where there are none, nothing was ever sent, or all of it was taken back or erased.
    """
    questions: dict[str, list[Fact]] = {_UNKNOWN_INVOICE: []}
    if seen.erasure:
        questions[f"customers/{seen.erasure.customer}"] = []
    for statement, _ in seen.statements:
        questions[f"invoices/{statement.fact.InvoiceNo}"] = []
    for fact in seen.facts:
        questions[f"invoices/{fact.InvoiceNo}"].append(fact)
        if fact.CustomerID:
            questions.setdefault(f"customers/{fact.CustomerID}", []).append(fact)
    return questions


async def _ask(api: Api, path: str) -> Mapping[str, Any] | None:
    """None where the API knows nothing. The client reports honestly that it gives up; a user asks again."""
    for _ in range(_MOST_QUESTIONS):
        with suppress(ApiUnavailable):
            try:
                return await api.get(path, {})
            except NotFound:
                return None
    raise NeverEnds(path)


def _check_answer(path: str, answer: Mapping[str, Any] | None, facts: Sequence[Fact]) -> Iterator[str]:
    if not answer or not facts:
        yield from _unequal(f"whether {path} is found", (bool(facts),), (bool(answer),))
        return
    invoices = len({fact.InvoiceNo for fact in facts})
    sums = sum(fact.Quantity for fact in facts), sum((fact.amount for fact in facts), Decimal(0))
    told = answer["line_count"], answer["quantity"], Decimal(answer["total"]), answer.get("invoice_count", 1)
    yield from _unequal(path, (len(facts), *sums, invoices), told)
    if "lines" in answer:
        lines = [Fact.of({"InvoiceNo": path.partition("/")[2], **line}) for line in answer["lines"]]
        yield from _difference(f"lines of {path}", facts, lines)


def _check_logs(seen: Observations) -> Iterator[str]:
    """A finding shows the text before the row's content, and not the content."""
    revealing = [text.partition(MARK)[0][:80] for text in seen.logs if MARK in text]
    yield from _difference("log records with a row's content", [], revealing)


def _check_erased(seen: Observations) -> Iterator[str]:
    """No version of an object and no data file of the lake names the customer, unless in rows that arrived later.

    A request that is answered while the command runs may be rejected behind its back.
    """
    if not (erasure := seen.erasure):
        return
    later = {batch_id_or(record.key, _UNNAMED) for record in seen.records if max(record.arrived) >= erasure.end}
    later |= {*seen.asked[erasure.requests :]}
    naming = [
        key
        for key, data in seen.stores.versions()
        if not key.startswith(ERASED) and not later & {*_NAME_ENDS.split(key)} and seen.is_in_object(data)
    ]
    yield from _difference("objects that name an erased customer", [], naming)
    if all(each.fact.CustomerID != erasure.customer or arrived < erasure.end for each, arrived in seen.statements):
        rows = ((path, row) for path, rows in seen.stores.lake_rows().items() for row in rows)
        files = [path for path, row in rows if row["CustomerID"] == erasure.customer]
        yield from _difference("rows of the lake's data files that name an erased customer", [], files)


def _unequal(name: str, expected: tuple[object, ...], actual: tuple[object, ...]) -> Iterator[str]:
    if expected != actual:
        yield f"{name}: {actual} instead of {expected}"


def _difference(name: str, expected: Iterable[object], actual: Iterable[object]) -> Iterator[str]:
    """What is missing and what is too many, each as a number and one example."""
    want, have = Counter(expected), Counter(actual)
    for what, rest in (("missing", want - have), ("too many", have - want)):
        if rest:
            yield f"{name}: {what} {rest.total()}, such as {next(iter(rest))}"
