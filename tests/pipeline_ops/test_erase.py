"""A customer leaves every store, a second run finishes a first one, and nothing that is delivered again comes back."""

import gzip
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from aws.bucket import TO_DYNAMODB, TO_S3, Bucket, DeadLetterStore, raw_key
from aws.clients import dynamodb_client, s3_client
from aws.erasures import STATEMENTS_KEY, ErasureList
from aws.lambda_events import KinesisEvent
from aws.rejections import RejectedRow, RejectionStore, new_rejection
from consumers.archive import Archive
from consumers.batch_loop import Stage, consume
from invoices.batch import pack
from invoices.errors import RowError
from invoices.invoice import totals_of, union
from invoices.line import Line
from pipeline_ops.erase.command import SETTLED_SECONDS, Clock, EraseStores, erase, look_for
from pipeline_ops.erase.found import Store
from pipeline_ops.erase.statements import StatementWriter
from pipeline_ops.errors import OpsError
from pipeline_ops.options import EVERYTHING, Stores
from pipeline_ops.redrive import Fix, Redrive
from pipeline_ops.replay import ProgressFile, Replay, ReplayCounts, Target
from pipeline_ops.verify.command import Scope, verify
from tests.conftest import create_table
from tests.consumers.events import PLENTY, delivered
from tests.invoice_rows import Row, ndjson, row
from tests.pipeline_ops.stores import NO_BAR, index_of, keys, stored_slices, tables
from tests.pipeline_ops.test_app import Command
from tests.recorded_metrics import RecordedMetrics

ERASED = "17850"
TARGET = Target(bucket="any", invoices_table="any", customers_table="any")
MIXED, ALONE, POISON = (f"018bcfe5-6800-7000-8000-00000000000{digit}" for digit in "123")

OTHER_ROWS: list[Row] = [
    row(CustomerID="13047"),
    row(CustomerID=None),
    row(CustomerID=None, Occurrence=1, StockCode="POST"),
    row(InvoiceNo="9", Quantity="seven", CustomerID="13047"),
]
ROWS_OF_THE_CUSTOMER: list[Row] = [
    row(),
    row(CustomerID=17850.0),
    row(Occurrence=1, StockCode="POST"),
    row(Quantity="six", InvoiceNo="8"),
    row(Quantity="?", InvoiceNo="7"),
    {**row(Country=""), "customer": ERASED},
]
RECORDS = [
    (MIXED, pack(ndjson([*ROWS_OF_THE_CUSTOMER, *OTHER_ROWS]))),
    (MIXED, pack(ndjson([row(StockCode="22"), *OTHER_ROWS]))),
    (ALONE, pack(ndjson([row(InvoiceNo="6"), row(InvoiceNo="6", Occurrence=2)]))),
    (POISON, b"no gzip, and 17850 in it"),
    (POISON, gzip.compress(ndjson([row()]))[:-4]),
]

SMALL = [(MIXED, pack(ndjson([*ROWS_OF_THE_CUSTOMER[:4], *OTHER_ROWS])))]

REJECTED = {3: ndjson([ROWS_OF_THE_CUSTOMER[3]]), 4: ndjson([OTHER_ROWS[3]]), 7: b"no JSON, and 17850 in it"}
REASONS = [RowError(index, "Quantity", "must be a whole number") for index in REJECTED]

ERASED_ROWS = 6 + 1 + 2 + 1 + 1
"""In RECORDS; a record that cannot be divided into rows is one."""
ARCHIVED_ROWS = ERASED_ROWS - 1
"""to_s3 does not archive what is not gzip."""


class FakeClock:
    """Time passes only in `sleep`. It begins after the records arrived."""

    def __init__(self) -> None:
        self.seconds = 1_800_000_000.0

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.seconds, self.sleep)


@pytest.fixture
def versioned(stores: Stores) -> Stores:
    stores.bucket.s3.put_bucket_versioning(Bucket=stores.bucket.name, VersioningConfiguration={"Status": "Enabled"})
    return stores


@pytest.fixture
def filled(versioned: Stores) -> Stores:
    fill(versioned)
    return versioned


def fill(stores: Stores) -> None:
    """Two bodies of a batch, dead letters, one of them redriven, and a batch that Lambda discarded."""
    deliver_all(stores)
    (key,) = [key for key in keys(stores, f"failed/{TO_DYNAMODB}/") if MIXED in key and has_row(stores, key, "six")]
    Redrive(stores.bucket, index_of(stores)).run(key, Fix({"Quantity": "6"}, frozenset({3})))
    event: KinesisEvent = {"Records": [delivered(data, batch_id) for batch_id, data in RECORDS[:2]]}
    context = {"functionArn": "arn", "condition": "RetryAttemptsExhausted"}
    document = {"requestContext": context, "payload": json.dumps(event)}
    stores.bucket.put("aws/lambda/uuid/batch.json", json.dumps(document).encode(), "application/json")
    RejectionStore(stores.bucket).create(new_rejection("request", datetime(2026, 1, 1, tzinfo=UTC), REJECTED, REASONS))
    stores.bucket.put("failed/to_s3/strange.json", b'{"about": "17850"}', "application/json")


def has_row(stores: Stores, key: str, text: str) -> bool:
    return text.encode() in gzip.decompress(b64decode(json.loads(stores.bucket.read(key))["payload_base64"]))


def deliver_all(stores: Stores, records: Sequence[tuple[str, bytes]] = RECORDS) -> RecordedMetrics:
    """Each record to both consumers, as Lambda does at any time."""
    bucket, metrics = stores.bucket, RecordedMetrics()
    erasures = ErasureList(bucket)
    for number, (batch_id, data) in enumerate(records):
        event: KinesisEvent = {"Records": [delivered(data, batch_id, number)]}
        for stage, process in ((TO_S3, Archive(bucket).add), (TO_DYNAMODB, index_of(stores).add)):
            put = DeadLetterStore(bucket, stage).put
            stage_with_erasures = Stage(process, put, erasures=erasures)
            assert consume(event, PLENTY, stage_with_erasures, metrics) == {"batchItemFailures": []}
    return metrics


def run(stores: Stores, *, keeps_lines: bool = False, clock: FakeClock | None = None) -> str:
    clock = clock or FakeClock()
    return erase(EraseStores(stores), ERASED, keeps_lines=keeps_lines, clock=clock.clock, bar=NO_BAR)[2]


def texts(stores: Stores) -> Iterator[str]:
    """Everything that is stored, unpacked as far as it can be. It shares no code with the erasure."""
    s3, name = stores.bucket.s3, stores.bucket.name
    for version in s3.list_object_versions(Bucket=name).get("Versions", []):
        data = s3.get_object(Bucket=name, Key=version["Key"], VersionId=version["VersionId"])["Body"].read()
        if not version["Key"].startswith("erased/"):
            yield f"{version['Key']} {unpacked(data)}"
    yield from (text for table in tables(stores) for text in table)


def unpacked(data: bytes) -> str:
    """gzip, base64 and JSON in each other, in any order."""
    for opened in (gzip.decompress, lambda each: b64decode(each, validate=True)):
        try:
            return unpacked(opened(data)) if data else ""
        except (ValueError, OSError, EOFError):
            continue
    try:
        return json.dumps(data.decode()) + " ".join(map(unpacked_value, values(json.loads(data))))
    except ValueError:
        return repr(data)


def unpacked_value(value: object) -> str:
    return unpacked(value.encode()) if isinstance(value, str) and len(value) > 20 else str(value)


def values(document: Any) -> Iterator[object]:
    if isinstance(document, dict | list):
        for each in document.values() if isinstance(document, dict) else document:
            yield from values(each)
    else:
        yield document


def naming(stores: Stores) -> list[str]:
    return [text for text in texts(stores) if ERASED in text]


def rejected_rows(stores: Stores) -> Sequence[RejectedRow]:
    store = RejectionStore(stores.bucket)
    (rejection_id,) = store.latest_first()
    found = store.read(rejection_id)
    assert found
    return found[0].rows


def lines_of_others(stores: Stores) -> dict[str, Line]:
    """By line id."""
    return {name: line for name, line in union(stored_slices(stores)).items() if line.CustomerID != ERASED}


def test_nothing_names_the_customer(filled: Stores) -> None:
    """In no object, no old version, no slice and no pointer. The lines of others stay, and verify is clean."""
    before = lines_of_others(filled)
    assert len({text.partition("/")[0] for text in naming(filled)}) > 4
    run(filled)
    assert naming(filled) == []
    assert lines_of_others(filled) == before
    assert [row.index for row in rejected_rows(filled)] == [4]
    assert look_for(EraseStores(filled), ERASED, NO_BAR).is_empty
    assert verify(filled, Scope(), NO_BAR).findings.kept == []


@pytest.mark.slow
@pytest.mark.parametrize("keeps_lines", [False, True])
def test_what_is_delivered_again_changes_nothing(filled: Stores, *, keeps_lines: bool) -> None:
    """Redelivery finds the objects that the erasure wrote: no second body and no second dead letter."""
    run(filled, keeps_lines=keeps_lines)
    before = set(keys(filled)), tables(filled)
    metrics = deliver_all(filled)
    assert set(keys(filled)) == before[0]
    assert tables(filled) == before[1]
    assert naming(filled) == []
    assert sum(each.value for _, put in metrics.puts for each in put if each.name == "RowsErased") == 2 * ERASED_ROWS


@pytest.mark.slow
def test_kept_lines_keep_the_totals(filled: Stores) -> None:
    """Of every invoice, also where an equal line never had a customer."""
    before = totals(filled)
    run(filled, keeps_lines=True)
    assert totals(filled) == before
    assert naming(filled) == []
    assert verify(filled, Scope(), NO_BAR).findings.kept == []


def totals(stores: Stores) -> dict[str, object]:
    numbers = {each.invoice_no for each in stored_slices(stores)}
    slices = {no: [each for each in stored_slices(stores) if each.invoice_no == no] for no in numbers}
    return {no: totals_of(union(each).values()) for no, each in slices.items()}


def replay(stores: Stores, folder: Path) -> ReplayCounts:
    return Replay(stores.bucket, index_of(stores)).run(EVERYTHING, ProgressFile(folder / "p", TARGET), NO_BAR)


class Killed(BaseException):
    """No code of ours catches it."""


class KillAt:
    """Ends the process before the write with this number, counted from 1."""

    _WRITES = frozenset({"PutObject", "DeleteObject", "BatchWriteItem", "DeleteItem"})

    def __init__(self, number: int) -> None:
        self._left = number
        self.has_killed = False

    def __call__(self, model: Any, **_: object) -> None:
        self._left -= (is_write := model.name in self._WRITES)
        if is_write and self._left == 0:
            self.has_killed = True
            raise Killed


def rooms(aws: None) -> Iterator[Stores]:
    """Filled stores, again and again. Their erasures have one secret key, so that they write the same objects."""
    s3, dynamodb = s3_client(), dynamodb_client()
    for number in count():
        names = [f"{kind}-{number}" for kind in ("bucket", "invoices", "customers")]
        s3.create_bucket(Bucket=names[0])
        s3.put_bucket_versioning(Bucket=names[0], VersioningConfiguration={"Status": "Enabled"})
        create_table(dynamodb, names[1], "InvoiceNo", "SliceId")
        create_table(dynamodb, names[2], "CustomerID", "Slice")
        stores = Stores(Bucket(s3, names[0]), dynamodb, names[1], names[2])
        stores.bucket.put(STATEMENTS_KEY, json.dumps({"key": "00" * 32, "statements": []}).encode(), "application/json")
        deliver_all(stores, SMALL)
        yield stores


def run_until(stores: Stores, write: int, *, keeps_lines: bool) -> bool:
    """Whether the run was killed before this write."""
    kill = KillAt(write)
    clients = (stores.bucket.s3, stores.dynamodb)
    for client in clients:
        client.meta.events.register("before-call", kill)
    with suppress(Killed):
        run(stores, keeps_lines=keeps_lines)
    for client in clients:
        client.meta.events.unregister("before-call", kill)
    return kill.has_killed


@pytest.mark.slow
@pytest.mark.parametrize("keeps_lines", [False, True])
def test_a_second_run_finishes_a_first_one(aws: None, tmp_path: Path, *, keeps_lines: bool) -> None:
    """Killed before each of its writes. In between everything is delivered again, and the tables are built again."""
    finished: tuple[set[str], object] | None = None
    for write, stores in enumerate(rooms(aws)):
        before = totals(stores)
        was_killed = run_until(stores, write, keeps_lines=keeps_lines)
        deliver_all(stores, SMALL)
        replay(stores, tmp_path)
        run(stores, keeps_lines=keeps_lines)
        assert naming(stores) == []
        state = {key for key in keys(stores) if not key.startswith("erased/")}, totals(stores)
        finished = finished or state
        assert state == finished, f"killed before write {write}"
        assert state[1] == before or not keeps_lines
        if write and not was_killed:
            return


def test_the_receipt_names_no_customer(filled: Stores) -> None:
    """What was changed, how many rows, and which rows are covered."""
    receipt = json.loads(filled.bucket.read(run(filled)))
    assert receipt["covers_rows_before"] == "2027-01-15T08:02:20Z"
    assert receipt["changed"]["raw/"] == {"objects": 4, "rows": ARCHIVED_ROWS}
    assert ERASED not in json.dumps(receipt)


def test_what_arrives_after_the_erasure_is_stored(filled: Stores) -> None:
    """In its raw object and in the tables; and what arrives while it runs is dropped."""
    clock = FakeClock()
    run(filled, clock=clock)
    deliver_at(filled, clock.seconds + SETTLED_SECONDS - 1, "early")
    assert naming(filled) == []
    deliver_at(filled, clock.seconds + SETTLED_SECONDS, "late")
    assert [text.partition(" ")[0] for text in naming(filled) if text.startswith("raw/")] == [raw_key("late")]
    assert {name for each in stored_slices(filled) for name in each.customer_ids} == {ERASED, "13047"}


def deliver_at(stores: Stores, arrived_at: float, batch_id: str) -> None:
    record = delivered(pack(ndjson([row()])), batch_id)
    record["kinesis"]["approximateArrivalTimestamp"] = arrived_at
    for process in (Archive(stores.bucket).add, index_of(stores).add):
        put = DeadLetterStore(stores.bucket, TO_S3).put
        stage = Stage(process, put, erasures=ErasureList(stores.bucket))
        consume({"Records": [record]}, PLENTY, stage, RecordedMetrics())


HALF_A_PAIR = b'{"CustomerID":"\\ud800"}'


def test_a_strange_row_hides_nobody(versioned: Stores) -> None:
    """In the archive, in a dead letter, among rejected rows, and in a record that arrives while the erasure runs."""
    data = pack(b"\n".join([HALF_A_PAIR, ndjson(ROWS_OF_THE_CUSTOMER)]))
    deliver_all(versioned, [(MIXED, data)])
    rejection = new_rejection("request", datetime(2026, 1, 1, tzinfo=UTC), {3: HALF_A_PAIR}, REASONS[:1])
    RejectionStore(versioned.bucket).create(rejection)
    run(versioned)
    assert naming(versioned) == []
    deliver_all(versioned, [(MIXED, data)])
    assert naming(versioned) == []


def damage_dead_letter(document: dict[str, Any]) -> str:
    """Its errors name more rows than it has."""
    error = {"index": 99, "field": None, "message": "is damaged"}
    return json.dumps({**document, "errors": [*document["errors"], error]})


def damage_redriven(document: dict[str, Any]) -> str:
    return damage_dead_letter({**document, "rows": []})


def damage_discarded(document: dict[str, Any]) -> str:
    """A record of it has no partition key."""
    payload = {"Records": [{"kinesis": {"data": document["payload_base64"]}}, {"kinesis": {}}]}
    return json.dumps({"requestContext": {}, "payload": json.dumps(payload)})


def cut_short(document: dict[str, Any]) -> str:
    text = json.dumps({name: value for name, value in document.items() if name != "errors"})
    return text[: text.index('"payload_base64"') + 20 + len(document["payload_base64"])]


@pytest.mark.parametrize(
    ("key", "damage"),
    [
        ("failed/to_dynamodb/damaged.json", damage_dead_letter),
        ("failed-redriven/to_dynamodb/damaged.json", damage_redriven),
        ("aws/lambda/uuid/damaged.json", damage_discarded),
        ("failed/to_dynamodb/damaged.json", cut_short),
    ],
)
def test_a_damaged_document_hides_no_row(versioned: Stores, key: str, damage: Callable[[dict[str, Any]], str]) -> None:
    """Its payload is read all the same; a document without the customer stays."""
    for name, customer in (("own", ERASED), ("others", "13047")):
        row_of_customer = pack(ndjson([row(CustomerID=customer, Quantity="six")]))
        errors = [{"index": 0, "field": "Quantity", "message": "must be a whole number"}]
        document: dict[str, Any] = {
            "stage": TO_DYNAMODB,
            "batch_id": MIXED,
            "sequence_number": "1",
            "reason": "damaged",
        }
        document |= {"errors": errors, "payload_base64": b64encode(row_of_customer).decode()}
        versioned.bucket.put(key.replace("damaged", name), damage(document).encode(), "application/json")
    assert look_for(EraseStores(versioned), ERASED, NO_BAR).objects.total() == 1
    run(versioned)
    assert [each for each in keys(versioned) if not each.startswith("erased/")] == [key.replace("damaged", "others")]


def test_a_dry_run_writes_nothing(filled: Stores) -> None:
    """It says what an erasure would change."""
    before = keys(filled), tables(filled)
    found = look_for(EraseStores(filled), ERASED, NO_BAR)
    assert found.rows[Store.RAW] == ARCHIVED_ROWS
    assert (keys(filled), tables(filled)) == before


def test_an_erasure_that_began_otherwise_is_ended_first(filled: Stores) -> None:
    """Half of the lines kept and half of them gone would be neither."""
    StatementWriter(filled.bucket).begin(ERASED, 0, keeps_lines=True)
    with pytest.raises(OpsError, match="began with --keep-lines has not ended"):
        run(filled)


def test_one_erasure_runs_at_a_time(versioned: Stores) -> None:
    """Two at once would write objects that they read before the other changed them."""
    writer = StatementWriter(versioned.bucket)
    other = writer.begin("13047", 0, keeps_lines=False)
    with pytest.raises(OpsError, match="another customer has not ended"):
        run(versioned)
    writer.end(other, 1)
    run(versioned)


def test_two_erasures_that_end_in_one_second_have_two_receipts(versioned: Stores) -> None:
    assert run(versioned) != run(versioned)
    assert len(keys(versioned, "erased/receipts/")) == 2


class OvertakenBucket(Bucket):
    """Another erasure begins between a read of the statements and the write."""

    def read_version(self, key: str) -> tuple[bytes, str]:
        found = super().read_version(key)
        with suppress(OpsError):
            StatementWriter(Bucket(self.s3, self.name)).begin("13047", 0, keeps_lines=False)
        return found


def test_of_two_erasures_that_begin_at_once_one_begins(versioned: Stores) -> None:
    run(versioned)
    with pytest.raises(OpsError, match="another customer has not ended"):
        StatementWriter(OvertakenBucket(versioned.bucket.s3, versioned.bucket.name)).begin(ERASED, 0, keeps_lines=False)


@pytest.fixture
def command(versioned: Stores, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    monkeypatch.setattr("pipeline_ops.erase.command.SETTLED_SECONDS", 0)
    return Command(monkeypatch, capsys)


def test_an_item_that_is_no_slice_is_reported(versioned: Stores, command: Command) -> None:
    """Nobody knows whether it names the customer. The rest is erased all the same."""
    damaged = {"InvoiceNo": {"S": "536366"}, "SliceId": {"S": "ab"}, "Lines": {"S": "lost"}}
    versioned.dynamodb.put_item(TableName="invoices", Item=damaged)
    deliver_all(versioned, SMALL)
    for words in (["erase", "--customer", ERASED], ["verify", "--erased", ERASED]):
        code, text = command(*words, "--no-lake")
        assert (code, "1 item of the table of slices cannot be read" in text, "536366#ab" in text) == (1, True, True)
    assert "No store names the customer." not in text
    assert naming(versioned) == []


def test_the_command_says_which_rows_are_covered(versioned: Stores, command: Command) -> None:
    """With the same instant as the receipt."""
    code, text = command("erase", "--customer", ERASED, "--no-lake")
    (receipt,) = keys(versioned, "erased/receipts/")
    covered = json.loads(versioned.bucket.read(receipt))["covers_rows_before"]
    assert (code, f"arrive before {covered} are dropped. Later ones are new business." in text) == (0, True)
    assert command("verify", "--erased", ERASED, "--no-lake")[0] == 0


@pytest.mark.parametrize("words", [("erase", "--customer"), ("verify", "--erased")])
def test_the_lake_is_not_passed_over_in_silence(versioned: Stores, command: Command, words: tuple[str, str]) -> None:
    """Without its name, only --no-lake says that there is none. Nothing is erased before."""
    deliver_all(versioned, SMALL)
    before = naming(versioned)
    code, text = command(*words, ERASED)
    assert (code, "Give --lake-bucket NAME, or set LAKE_BUCKET; give --no-lake" in text) == (2, True)
    assert naming(versioned) == before
