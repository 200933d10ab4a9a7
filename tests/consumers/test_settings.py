"""The consumers' environment."""

import pytest

from consumers.settings import MissingSettingError, ToS3Settings, settings_from


def test_settings_are_read_by_name() -> None:
    """Other variables do not matter."""
    environment = {"RAW_BUCKET": "raw", "METRICS_NAMESPACE": "shop", "AWS_SECRET_ACCESS_KEY": "secret"}
    assert settings_from(environment, ToS3Settings) == ToS3Settings("raw", "shop")


def test_a_missing_variable_is_named() -> None:
    """As is an empty one, and nothing is shown of those that are set."""
    with pytest.raises(MissingSettingError) as caught:
        settings_from({"METRICS_NAMESPACE": "", "AWS_SECRET_ACCESS_KEY": "secret"}, ToS3Settings)
    assert "RAW_BUCKET, METRICS_NAMESPACE" in str(caught.value)
    assert "secret" not in str(caught.value)
