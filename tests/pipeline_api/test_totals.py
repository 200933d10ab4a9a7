"""GET /totals: exact sums over all rows, from the objects that the lake's refresh writes."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest

from aws.receipts import ReceiptTable
from aws.totals import CurrentTotals, DayTotals, TotalsStore
from pipeline_api.app import Services
from tests.pipeline_api.api_calls import Api
from tests.pipeline_api.fake_dynamodb import FakeDynamoDB
from tests.pipeline_api.fake_kinesis import FakeKinesis
from tests.pipeline_api.open_services import app_over, authorize_all
from tests.recorded_metrics import RecordedMetrics

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DECEMBER = [
    DayTotals("2010-12-01", "Norway", lines=1, quantity="6", amount="15.300000"),
    DayTotals("2010-12-01", "United Kingdom", lines=2, quantity="5", amount="12.750001"),
    DayTotals("2010-12-02", "United Kingdom", lines=1, quantity="-1", amount="-2.550000"),
]
JANUARY = [DayTotals("2011-01-04", "Norway", lines=1, quantity="1", amount="0.100000")]


def api_with(open_totals: Callable[[], TotalsStore | None]) -> Api:
    stream, tables = FakeKinesis([]).stream(), FakeDynamoDB([]).tables([])
    receipts = ReceiptTable(tables.client, "batches")
    return Api(app_over(Services(stream, tables, receipts, authorize_all, RecordedMetrics(), open_totals)))


@pytest.fixture
def store(s3: "S3Client") -> TotalsStore:
    s3.create_bucket(Bucket="lake")
    return TotalsStore(s3, "lake")


@pytest.fixture
def totals_api(s3: "S3Client", store: TotalsStore) -> Api:
    """The refresh has written two months."""
    months = {"2010-12": "totals/month=2010-12/a.json", "2011-01": "totals/month=2011-01/b.json"}
    current = CurrentTotals(3, "2026-11-25T12:00:00+00:00", months)
    written = {
        "totals/current.json": asdict(current),
        months["2010-12"]: {"files": [], "totals": [asdict(day) for day in DECEMBER]},
        months["2011-01"]: {"files": [], "totals": [asdict(day) for day in JANUARY]},
    }
    for key, document in written.items():
        s3.put_object(Bucket="lake", Key=key, Body=json.dumps(document).encode())
    return api_with(lambda: store)


def test_sums_by_month_are_the_default(totals_api: Api) -> None:
    """And the sum of all; money has every decimal that it needs."""
    answer = totals_api.get("/totals")
    assert answer.status_code == 200
    assert answer.json() == {
        "as_of": "2026-11-25T12:00:00+00:00",
        "line_count": 5,
        "quantity": 11,
        "total": "25.600001",
        "groups": [
            {"key": "2010-12", "line_count": 4, "quantity": 10, "total": "25.500001"},
            {"key": "2011-01", "line_count": 1, "quantity": 1, "total": "0.10"},
        ],
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("by=day", {"2010-12-01": "28.050001", "2010-12-02": "-2.55", "2011-01-04": "0.10"}),
        ("by=country", {"Norway": "15.40", "United Kingdom": "10.200001"}),
        ("by=day&from=2010-12-02", {"2010-12-02": "-2.55", "2011-01-04": "0.10"}),
        ("by=country&to=2010-12-01", {"Norway": "15.30", "United Kingdom": "12.750001"}),
        ("from=2012-01-01", {}),
    ],
    ids=["day", "country", "from a day", "to a day", "nothing in the range"],
)
def test_groups_and_ranges(totals_api: Api, query: str, expected: dict[str, str]) -> None:
    """Both ends of a range count."""
    groups = totals_api.get(f"/totals?{query}").json()["groups"]
    assert {group["key"]: group["total"] for group in groups} == expected


@pytest.mark.parametrize("query", ["by=customer", "from=1.12.2010", "till=2010-12-01", "by=day&by=month"])
def test_a_wrong_parameter_is_a_problem(totals_api: Api, query: str) -> None:
    assert totals_api.get(f"/totals?{query}").status_code == 422


def test_without_a_lake_or_before_its_first_refresh_there_are_no_totals(store: TotalsStore) -> None:
    answers = [api_with(lambda: None).get("/totals"), api_with(lambda: store).get("/totals")]
    assert [(answer.status_code, answer.json()["detail"]) for answer in answers] == [
        (404, "Nothing is in the lake yet.")
    ] * 2
