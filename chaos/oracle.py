"""After a scenario: is every row where it belongs, once? One sentence for each broken promise.

What ought to be comes from the observations. What is there is read from the stores and from the API.
"""

import asyncio
import gzip
import json
import re
from base64 import b64decode
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from boto3.dynamodb.types import TypeDeserializer

from aws.bucket import ERASED, REJECTED
from aws.rejections import decode
from chaos.erasure import ERASED_ROW, comparable_rows, rows_in
from chaos.foreign import ForeignRecord
from chaos.lake import facts_in_lake, rows_in_data_files, sums_in_lake
from chaos.observations import Observations
from chaos.rows import COLUMNS, MARK, Fact, GeneratedRow
from chaos.upload import ADDRESS
from client.api import Api, open_api
from client.environment import Environment
from client.errors import ApiUnavailable, NotFound
from invoices.batch import batch_id_or

_PLAIN = TypeDeserializer()  # from DynamoDB's form of values
_FIRST_ROW_LINE = 2
_GZIP_MAGIC = b"\x1f\x8b\x08"
_RAW_KEY = re.compile(r"raw/(dt=[0-9-]+/hour=[0-9]+)/([^/=]+)(=[0-9a-f]{16})?\.ndjson\.gz")
_NOT_KEPT = re.compile(r'"RejectedRowsNotKept": ([0-9]+)')
_UNNAMED = "unnamed"  # stands in the key of a dead letter for what is no batch id
_NAME_ENDS = re.compile("[/.=]")
_VERSION_WITH_TIME = 7
_UNKNOWN_INVOICE = "NOSUCHINVOICE"
_MOST_QUESTIONS = 20


class NeverAnswered(Exception):
    """The API gave no answer, however often it was asked, although most requests are answered."""


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
    return seen.erasure is not None and seen.erasure.is_named(row.texts[COLUMNS.index("CustomerID")].encode())


def _check_archive(seen: Observations) -> Iterator[str]:
    """`raw/` holds every readable batch of the stream, each body once, under its own name.

    A batch that was put twice, because its answer was lost, is still one batch. Nobody misses a body of which only
    erased rows are left.
    """
    stored = seen.objects_under("raw/")
    names = [match for key in stored if (match := _RAW_KEY.fullmatch(key))]
    archived = [(put.key, seen.what_is_left(put.data, put.arrived)) for put in seen.puts]
    archived += [
        (record.key, seen.what_is_left(record.data, arrived, record.bad_rows))
        for record in seen.foreign
        for arrived in record.arrived
        if "to_s3" not in record.failed_in and record.data.startswith(_GZIP_MAGIC)
    ]
    expected = {each for each in archived if not _is_all_erased(each[1])}
    known = {body for _, body in expected}
    bodies = [(_batch_of(key), data if data in known else comparable_rows(data)) for key, data in stored.items()]
    firsts = [match[2] for match in names if not match[3]]
    misplaced = [match[0] for match in names if match[1] != _folder_of(match[2])]
    yield from _difference("raw objects", expected, [each for each in bodies if not _is_all_erased(each[1])])
    yield from _difference("batches whose first body has the batch's name", {key for key, _ in bodies}, firsts)
    yield from _difference("raw objects whose name is no batch's", [], stored.keys() - {each[0] for each in names})
    yield from _difference("raw objects in another hour's folder", [], misplaced)


def _is_all_erased(body: bytes | tuple[bytes, ...]) -> bool:
    return isinstance(body, tuple) and set(body) == {ERASED_ROW}


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
    yield from _difference("lines in the lake", expected, facts_in_lake(seen.stores))
    sums = len(expected), sum((fact.amount for fact in expected), Decimal(0))
    yield from _unequal("the lake's summaries", sums, sums_in_lake(seen.stores))


def _check_dead_letters(seen: Observations) -> Iterator[str]:
    """`failed/` holds each dead letter once, with its reason and without a row's content; Lambda discarded nothing."""
    stored = {key: json.loads(data) for key, data in seen.objects_under("failed/").items()}
    failed = [
        (stage, record.key, left)
        for record in seen.foreign
        for stage in record.failed_in
        for arrived in record.arrived
        if (left := _dead_rows(seen, record, arrived) if record.bad_rows else seen.what_is_left(record.data, arrived))
    ]
    expected = {each for each in failed if not _is_all_erased(each[2])}
    known = {payload for _, _, payload in expected}
    unexplained = [key for key, document in stored.items() if not _is_explained(document)]
    elsewhere = [key for key in seen.objects if not key.startswith(("raw/", "failed/", REJECTED, ERASED))]
    yield from _difference("dead letters", expected, [_dead_letter(each, known) for each in stored.values()])
    yield from _difference("dead letters without a reason, or with a row's content in it", [], unexplained)
    yield from _difference("batches that Lambda discarded", [], [each.batch.condition for each in seen.discarded])
    yield from _difference("objects elsewhere in the bucket", [], elsewhere)


def _dead_rows(seen: Observations, record: ForeignRecord, arrived: float) -> bytes:
    """The invalid rows of a record, but for those of an erased customer."""
    erasure = seen.erasure if seen.erasure and arrived < seen.erasure.end else None
    return b"\n".join(row for row in record.bad_rows if not (erasure and erasure.is_of_customer(row)))


def _dead_letter(document: Mapping[str, Any], known: Collection[object]) -> tuple[str, str, object]:
    """Rows that were picked from a record are compared as rows; no promise says how they are packed."""
    payload = b64decode(document["payload_base64"])
    if document["errors"]:
        return document["stage"], document["batch_id"], gzip.decompress(payload)
    return document["stage"], document["batch_id"], payload if payload in known else comparable_rows(payload)


def _is_explained(document: Mapping[str, Any]) -> bool:
    explanation = json.dumps([document["reason"], document["errors"]])
    return bool(document["reason"] and document["sequence_number"]) and MARK not in explanation


def _check_receipts(seen: Observations) -> Iterator[str]:
    """Each readable record has one receipt for its body, of all of its rows, however often it was delivered.

    A record that takes its batch back has none: the receipts of a batch count what was sent as it. If rows of it were
    erased, the receipt has them or not, depending on when the record was delivered first.
    """
    records = {(put.key, gzip.decompress(put.data)): 0 for put in seen.puts}
    with_receipt = [record for record in seen.foreign if not record.takes_batch_back]
    readable = [record for record in with_receipt if record.bad_rows or "to_dynamodb" not in record.failed_in]
    records |= {(record.key, gzip.decompress(record.data)): len(record.bad_rows) for record in readable}
    changed = {put.key for put in seen.puts if seen.what_is_left(put.data, put.arrived) != put.data}
    for record in seen.foreign:
        if any(seen.what_is_left(record.data, arrived) != record.data for arrived in record.arrived):
            changed.add(record.key)
    expected = [(key, len(rows_in(body)), bad) for (key, body), bad in records.items() if key not in changed]
    found = [each for each in map(_counted, seen.stores.items(seen.stores.batches)) if each[0] not in changed]
    yield from _difference("receipts", expected, found)


def _counted(receipt: Mapping[str, Any]) -> tuple[str, int, int]:
    stored, set_aside = (int(receipt[name]["N"]) for name in ("Stored", "SetAside"))
    return receipt["BatchId"]["S"], stored + set_aside, set_aside


async def _check_answers(seen: Observations, environment: Environment) -> list[str]:
    """Every invoice and every customer, with lines and totals, as the client gets them from the API."""
    findings: list[str] = []
    facts = seen.facts
    async with open_api(ADDRESS, environment, lambda: False) as api:
        for name in sorted({fact.InvoiceNo for fact in facts}):
            answer = await _ask(api, f"invoices/{name}")
            findings += _check_invoice(name, answer, [fact for fact in facts if fact.InvoiceNo == name])
        for name in sorted({fact.CustomerID for fact in facts if fact.CustomerID}):
            answer = await _ask(api, f"customers/{name}")
            findings += _check_customer(name, answer, [fact for fact in facts if fact.CustomerID == name])
        unknown = [f"invoices/{name}" for name in sorted({_UNKNOWN_INVOICE, *seen.lost_invoices})]
        if seen.erasure and seen.erasure.customer not in {fact.CustomerID for fact in facts}:
            unknown.append(f"customers/{seen.erasure.customer}")
        for path in unknown:
            if await _ask(api, path):
                findings.append(f"{path} is found, which was never sent, or was taken back or erased")
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
    answered = [Fact.of({"InvoiceNo": name, **line}) for line in answer["lines"]]
    yield from _difference(f"lines of invoice {name}", facts, answered)
    yield from _unequal(f"invoice {name}", _expected_totals(facts), _answered_totals(answer))


def _check_customer(name: str, answer: Mapping[str, Any] | None, facts: Sequence[Fact]) -> Iterator[str]:
    if not answer:
        yield f"customer {name} is not found"
        return
    invoices = len({fact.InvoiceNo for fact in facts})
    expected = (invoices, *_expected_totals(facts))
    yield from _unequal(f"customer {name}", expected, (answer["invoice_count"], *_answered_totals(answer)))


def _expected_totals(facts: Sequence[Fact]) -> tuple[object, ...]:
    return len(facts), sum(fact.Quantity for fact in facts), sum((fact.amount for fact in facts), Decimal(0))


def _answered_totals(answer: Mapping[str, Any]) -> tuple[object, ...]:
    return answer["line_count"], answer["quantity"], Decimal(answer["total"])


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
    later = {put.key for put in seen.puts if put.arrived >= erasure.end} | {*seen.asked[erasure.requests :]}
    later |= {batch_id_or(each.key, _UNNAMED) for each in seen.foreign if max(each.arrived) >= erasure.end}
    naming = [
        key
        for key, data in seen.stores.versions()
        if not key.startswith(ERASED) and not later & {*_NAME_ENDS.split(key)} and erasure.is_in_object(data)
    ]
    yield from _difference("objects that name an erased customer", [], naming)
    if not seen.has_later_rows:
        files = [path for path, rows in rows_in_data_files(seen.stores, erasure.customer) if rows]
        yield from _difference("data files of the lake that name an erased customer", [], files)


def _unequal(name: str, expected: tuple[object, ...], actual: tuple[object, ...]) -> Iterator[str]:
    if expected != actual:
        yield f"{name}: {actual} instead of {expected}"


def _difference(name: str, expected: Iterable[object], actual: Iterable[object]) -> Iterator[str]:
    """What is missing and what is too many, each as a number and one example."""
    want, have = Counter(expected), Counter(actual)
    for what, rest in (("missing", want - have), ("too many", have - want)):
        if rest:
            yield f"{name}: {what} {rest.total()}, such as {next(iter(rest))}"
