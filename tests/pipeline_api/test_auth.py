"""Who is let in."""

import secrets

import pytest

from aws.api_keys import KEY_CACHE_SECONDS, Scope, StoredKey, generate_key, key_hash
from aws.receipts import ReceiptTable
from invoices.errors import Unavailable
from pipeline_api.app import Services
from pipeline_api.auth import Authenticator
from pipeline_api.problems import Forbidden, Unauthenticated
from tests.invoice_rows import ndjson, row
from tests.pipeline_api.api_calls import AS_NDJSON, Api
from tests.pipeline_api.fake_dynamodb import FakeDynamoDB
from tests.pipeline_api.fake_kinesis import FakeKinesis
from tests.pipeline_api.open_services import app_over
from tests.recorded_metrics import RecordedMetrics

KEY = generate_key(secrets.token_bytes)
KEY_ID = KEY.partition(".")[0]
REVOKED_AT = "2026-11-22T12:00:00+00:00"


class Table:
    """Holds keys in memory, notes who was asked for, and may be away."""

    def __init__(self) -> None:
        self.keys: dict[str, StoredKey] = {}
        self.asked: list[str] = []
        self.away = False

    def add(self, text: str, *scopes: Scope, revoked_at: str | None = None) -> str:
        key_id = text.partition(".")[0]
        key = StoredKey(key_id, "somebody", frozenset(scopes), key_hash(text), "2026-11-22T11:00:00+00:00", revoked_at)
        self.keys[key_id] = key
        return text

    def find(self, key_id: str) -> StoredKey | None:
        self.asked.append(key_id)
        if self.away:
            raise Unavailable("DynamoDB did not answer")
        return self.keys.get(key_id)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def authenticator(table: Table, clock: Clock) -> Authenticator:
    return Authenticator(table.find, clock)


def behind(authenticator: Authenticator, *, open_docs: bool) -> Api:
    tables = FakeDynamoDB([row()]).tables([])
    receipts = ReceiptTable(tables.client, "batches")
    services = Services(FakeKinesis([]).stream(), tables, receipts, authenticator.authorize, RecordedMetrics())
    return Api(app_over(services, open_docs=open_docs))


@pytest.fixture
def guarded(authenticator: Authenticator) -> Api:
    """The application behind the authenticator; its docs are open."""
    return behind(authenticator, open_docs=True)


@pytest.fixture
def closed(authenticator: Authenticator) -> Api:
    """The docs are behind it, too."""
    return behind(authenticator, open_docs=False)


def is_let_in(authenticator: Authenticator, text: str | None, scope: Scope | None = Scope.READ) -> bool:
    try:
        authenticator.authorize(text, scope)
    except Unauthenticated:
        return False
    return True


def test_the_holder_of_a_key_is_let_in(authenticator: Authenticator, table: Table) -> None:
    """With the whole text and nothing else."""
    table.add(KEY, Scope.READ)
    other_secret = f"{KEY_ID}.{generate_key(secrets.token_bytes).partition('.')[2]}"
    attempts = [KEY, other_secret, KEY[:-1], KEY + "=", KEY_ID, KEY.upper(), "", "é.ü", None]
    assert [is_let_in(authenticator, text) for text in attempts] == [True] + [False] * 8


def test_what_is_no_key_asks_nobody(authenticator: Authenticator, table: Table) -> None:
    """A flood of nonsense costs no read, nor does a key whose id was made up."""
    made_up = f"{KEY_ID[:12]}{int(KEY_ID[12:], 16) ^ 1:04x}{KEY[16:]}"
    texts = ("", "x", "a" * 10_000, KEY + "\n", made_up, None)
    assert [is_let_in(authenticator, text) for text in texts] == [False] * 6
    assert table.asked == []


def test_a_key_is_for_its_scopes(authenticator: Authenticator, table: Table) -> None:
    """Or for whatever asks for none."""
    table.add(KEY, Scope.READ)
    authenticator.authorize(KEY, None)
    authenticator.authorize(KEY, Scope.READ)
    with pytest.raises(Forbidden):
        authenticator.authorize(KEY, Scope.INGEST)


def test_the_table_is_asked_once_a_minute(authenticator: Authenticator, table: Table, clock: Clock) -> None:
    """By each container for each key, right or wrong."""
    table.add(KEY, Scope.READ)
    unknown = generate_key(secrets.token_bytes)
    for clock.now in (0.0, 1.0, KEY_CACHE_SECONDS - 1, KEY_CACHE_SECONDS):
        is_let_in(authenticator, KEY)
        is_let_in(authenticator, unknown)
    assert table.asked == [KEY_ID, unknown.partition(".")[0]] * 2


def test_a_revoked_key_stops_within_the_minute(authenticator: Authenticator, table: Table, clock: Clock) -> None:
    """And stays out."""
    table.add(KEY, Scope.READ)
    assert is_let_in(authenticator, KEY)
    table.add(KEY, Scope.READ, revoked_at=REVOKED_AT)
    clock.now = KEY_CACHE_SECONDS
    assert not is_let_in(authenticator, KEY)
    assert not is_let_in(authenticator, KEY)


def test_old_and_new_key_work_side_by_side(authenticator: Authenticator, table: Table) -> None:
    """So a key can be changed while callers go on."""
    old, new = (table.add(generate_key(secrets.token_bytes), *Scope) for _ in range(2))
    assert is_let_in(authenticator, old)
    assert is_let_in(authenticator, new)


def test_a_flood_of_unknown_keys_does_not_push_out_a_known_one(authenticator: Authenticator, table: Table) -> None:
    """And is not remembered without end: the first of them is asked for again."""
    table.add(KEY, Scope.READ)
    assert is_let_in(authenticator, KEY)
    flood = [f"{number:012x}.{'s' * 43}" for number in range(1_001)]
    for text in (*flood, KEY, flood[0]):
        is_let_in(authenticator, text)
    assert table.asked == [KEY_ID, *(text[:12] for text in flood), flood[0][:12]]


def test_keys_are_not_remembered_without_end(authenticator: Authenticator, table: Table) -> None:
    """The first of 1,001 is asked for again."""
    keys = [table.add(f"{number:012x}.{'s' * 43}", Scope.READ) for number in range(1_001)]
    assert all(is_let_in(authenticator, text) for text in (*keys, keys[0]))
    assert (len(table.asked), table.asked[-1]) == (1_002, keys[0][:12])


def test_while_the_table_is_away_known_keys_are_good_for_their_minute(
    authenticator: Authenticator, table: Table, clock: Clock
) -> None:
    """After it nobody is let in on trust."""
    table.add(KEY, Scope.READ)
    assert is_let_in(authenticator, KEY)
    table.away = True
    assert is_let_in(authenticator, KEY)
    clock.now = KEY_CACHE_SECONDS
    with pytest.raises(Unavailable):
        authenticator.authorize(KEY, Scope.READ)


ROUTES = ["/invoices/536365", "/invoices?InvoiceNo=536365", "/customers/17850", "/customers/17850/invoices", "/totals"]
ROUTES += ["/batches", "/batches/batch-1", "/rejections", "/rejections/2026-11-26.43195.batch-1.0123456789abcdef"]


@pytest.mark.parametrize("header", [{}, {"X-Api-Key": ""}, {"X-Api-Key": "wrong"}, {"Authorization": f"Bearer {KEY}"}])
def test_without_a_valid_key_the_answer_is_always_the_same(guarded: Api, header: dict[str, str]) -> None:
    """401, whatever the request would have been worth."""
    answers = [guarded.call("GET", path, headers=header) for path in (*ROUTES, "/invoices/%00", "/customers?x=1")]
    answers += [guarded.ingest(b"no rows", header), guarded.call("POST", f"{ROUTES[-1]}/rows/0", headers=header)]
    assert {answer.status_code for answer in answers} == {401}
    assert {answer.headers["WWW-Authenticate"] for answer in answers} == {'ApiKey realm="invoice-stream"'}
    assert {answer.json()["type"] for answer in answers} == {"urn:invoice-stream:problem:unauthenticated"}


@pytest.mark.parametrize(("scope", "statuses"), [(Scope.INGEST, (202, 403)), (Scope.READ, (403, 200))])
def test_a_key_of_one_scope_does_only_that(guarded: Api, table: Table, scope: Scope, statuses: tuple[int, int]) -> None:
    """The other answers 403, and does not say what would be needed."""
    header = {"X-Api-Key": table.add(KEY, scope)}
    answers = [guarded.ingest(ndjson([row()]), AS_NDJSON, header), guarded.call("GET", ROUTES[0], headers=header)]
    assert tuple(answer.status_code for answer in answers) == statuses
    refused = next(answer for answer in answers if answer.status_code == 403)
    assert refused.json()["detail"] == "The API key does not permit this."


@pytest.mark.parametrize("path", ["/docs", "/docs/start.js", "/openapi.json", "/console", "/console/any/main.js"])
def test_the_pages_are_open_or_closed(guarded: Api, closed: Api, table: Table, path: str) -> None:
    """Closed, they open to any key."""
    header = {"X-Api-Key": table.add(KEY, Scope.INGEST)}
    answers = [guarded.get(path), closed.get(path), closed.call("GET", path, headers=header)]
    assert [answer.status_code for answer in answers] == [200, 401, 200]


def test_a_closed_document_stays_out_of_shared_caches(closed: Api, table: Table) -> None:
    """A shared cache would hand it to callers without a key."""
    header = {"X-Api-Key": table.add(KEY, Scope.READ)}
    answer = closed.call("GET", "/openapi.json", headers=header)
    assert answer.headers["Cache-Control"] == "private, max-age=300"
    assert closed.get("/openapi.json").headers["Cache-Control"] == "no-store"


def test_health_needs_no_key(closed: Api, table: Table) -> None:
    """Load balancers have none."""
    table.away = True
    assert closed.get("/healthz").status_code == 200


def test_the_document_names_the_key_and_its_scopes(guarded: Api) -> None:
    """So the docs page has its Authorize button."""
    document = guarded.get("/openapi.json").json()
    scheme = document["components"]["securitySchemes"]["ApiKey"]
    needed = {path: each.get("security") for path, methods in document["paths"].items() for each in methods.values()}
    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "header", "X-Api-Key")
    assert needed.pop("/healthz") is None
    for path in ("/ingest", "/rejections/{id}/rows/{index}"):
        assert needed.pop(path) == [{"ApiKey": ["ingest"]}]
    assert list(needed.values()) == [[{"ApiKey": ["read"]}]] * 10


def test_a_key_that_cannot_be_checked_is_no_fault_of_the_caller(guarded: Api, table: Table) -> None:
    """503, to be tried again."""
    table.away = True
    answer = guarded.call("GET", ROUTES[0], headers={"X-Api-Key": KEY})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
