"""How clients are made."""

import pytest

from aws.clients import kinesis_client, session


def test_a_call_names_its_sender_as_botocore_would(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the versions of botocore, Python and the system; only made once."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    config = kinesis_client().meta.config
    assert config.user_agent == session().user_agent()  # type: ignore[attr-defined]  # botocore's, which the stubs leave out
    assert session().user_agent().startswith("Botocore/")
