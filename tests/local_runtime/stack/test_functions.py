"""The template's functions."""

from pathlib import Path

import pytest

from local_runtime.errors import RunError
from local_runtime.stack.functions import Function, http_function, read_functions, stream_functions
from local_runtime.stack.template import Template, physical_names
from tests.local_runtime.templates import changed_template, project_template, template_of


def _functions(template: Template) -> dict[str, Function]:
    return {function.name: function for function in read_functions(template, physical_names(template))}


def _one(folder: Path, properties: str) -> Function:
    text = f"Resources: {{F: {{Type: AWS::Serverless::Function, Properties: {properties}}}}}"
    return _functions(template_of(folder, text))["F"]


def test_a_consumer_is_a_function_that_a_stream_feeds() -> None:
    """Its event decides, not its name."""
    names = [function.name for function in stream_functions(list(_functions(project_template()).values()))]
    assert names == ["ToS3Function", "ToDynamodbFunction"]


def test_the_api_is_the_function_behind_http() -> None:
    """uvicorn gets its environment."""
    expected = {
        "METRICS_NAMESPACE": "local",  # every function's, from Globals
        "STREAM_NAME": "local-Stream",
        "INVOICES_TABLE": "local-InvoicesTable",
        "CUSTOMERS_TABLE": "local-CustomersTable",
        "BATCHES_TABLE": "local-BatchesTable",
        "KEYS_TABLE": "local-KeysTable",
        "DOCS_ACCESS": "open",
        "LAKE_BUCKET": "local-lakebucket",
        "RAW_BUCKET": "local-rawbucket",
    }
    assert expected == http_function(list(_functions(project_template()).values())).environment


def test_the_mapping_comes_from_the_template(tmp_path: Path) -> None:
    """A change of the template changes the batch size on this machine."""
    function = _functions(changed_template(tmp_path, "BatchSize: 100", "BatchSize: 7"))["ToS3Function"]
    assert function.mapping is not None
    assert (function.mapping["BatchSize"], function.stream) == (7, "local-Stream")


def test_a_functions_own_properties_win_over_globals(tmp_path: Path) -> None:
    """Properties are replaced; environment variables are merged."""
    shared = "Globals: {Function: {Timeout: 30, Environment: {Variables: {A: a, B: b}}}}\n"
    own = "{Handler: a.b.c, Timeout: 60, Environment: {Variables: {B: c}}}"
    text = f"{shared}Resources: {{F: {{Type: AWS::Serverless::Function, Properties: {own}}}}}"
    function = _functions(template_of(tmp_path, text))["F"]
    assert (function.timeout_seconds, function.environment) == (60, {"A": "a", "B": "c"})


def test_numbers_and_booleans_become_text(tmp_path: Path) -> None:
    """Environment variables are text. CloudFormation writes booleans in lower case."""
    function = _one(tmp_path, "{Handler: a.b.c, Environment: {Variables: {N: 3, B: true}}}")
    assert function.environment == {"N": "3", "B": "true"}


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ("{Timeout: 3}", "needs a Handler"),
        ("{Handler: a.b.c, Environment: {Variables: {N: [1]}}}", "environment variable N is not text"),
        ("{Handler: a.b.c, Events: {A: {Type: Kinesis}, B: {Type: Kinesis}}}", "has 2 Kinesis events"),
    ],
)
def test_a_function_that_cannot_run_is_an_error(tmp_path: Path, properties: str, message: str) -> None:
    """The message names the function or the variable."""
    with pytest.raises(RunError, match=message):
        _one(tmp_path, properties)


def test_a_kinesis_event_without_a_stream_is_an_error(tmp_path: Path) -> None:
    """There is nothing to poll."""
    function = _one(tmp_path, "{Handler: a.b.c, Events: {A: {Type: Kinesis, Properties: {BatchSize: 1}}}}")
    with pytest.raises(RunError, match="names no stream"):
        _ = function.stream


def test_a_template_without_an_http_function_is_an_error() -> None:
    """The local runtime needs exactly one."""
    with pytest.raises(RunError, match="0 functions with an HTTP event"):
        http_function([])
