"""What a Lambda entry reads from its environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pytest

from aws.settings import MissingSettingError, read_settings


@dataclass(frozen=True)
class Settings:
    RAW_BUCKET: str
    METRICS_NAMESPACE: str
    DOCS_ACCESS: Literal["open", "closed"] = "open"


NAMES = {"RAW_BUCKET": "raw", "METRICS_NAMESPACE": "shop", "DOCS_ACCESS": "closed"}


def test_settings_are_read_by_name() -> None:
    """Other variables are ignored."""
    assert read_settings({**NAMES, "AWS_SECRET_ACCESS_KEY": "secret"}, Settings) == Settings("raw", "shop", "closed")


def test_a_field_with_a_default_may_be_missing() -> None:
    """The setting then has the default's value."""
    assert read_settings({"RAW_BUCKET": "raw", "METRICS_NAMESPACE": "shop"}, Settings).DOCS_ACCESS == "open"


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({**NAMES, "RAW_BUCKET": ""}, "RAW_BUCKET is not set"),
        ({**NAMES, "DOCS_ACCESS": "ajar"}, "DOCS_ACCESS is not set"),
        ({"AWS_SECRET_ACCESS_KEY": "secret"}, "RAW_BUCKET and METRICS_NAMESPACE are not set"),
    ],
)
def test_each_missing_variable_is_named(environment: Mapping[str, str], named: str) -> None:
    """An empty or unknown value counts as missing, and no value is shown."""
    with pytest.raises(MissingSettingError, match=f"^{named} in the environment") as caught:
        read_settings(environment, Settings)
    assert "secret" not in str(caught.value)
