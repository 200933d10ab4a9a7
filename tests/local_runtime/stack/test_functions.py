"""The template's functions."""

from pathlib import Path

import pytest

from local_runtime.errors import RunError
from local_runtime.stack.functions import Function, functions_of, http_function, stream_functions
from local_runtime.stack.resources import physical_names
from local_runtime.stack.template import Template
from tests.local_runtime.templates import changed_template, project_template, template_of


def _functions(template: Template) -> dict[str, Function]:
    return {function.name: function for function in functions_of(template, physical_names(template))}


def _one(folder: Path, properties: str) -> Function:
    text = f"Resources: {{F: {{Type: AWS::Serverless::Function, Properties: {properties}}}}}"
    return _functions(template_of(folder, text))["F"]


def test_a_consumer_is_a_function_that_a_stream_feeds() -> None:
    """Found by their events, not by their names."""
    names = [function.name for function in stream_functions(list(_functions(project_template()).values()))]
    assert names == ["ToS3Function", "ToDynamodbFunction"]


def test_the_api_is_the_function_behind_http() -> None:
    """Its environment is what uvicorn gets."""
    expected = {
        "METRICS_NAMESPACE": "local",  # every function's, from Globals
        "STREAM_NAME": "local-Stream",
        "INVOICES_TABLE": "local-InvoicesTable",
        "CUSTOMERS_TABLE": "local-CustomersTable",
        "KEYS_TABLE": "local-KeysTable",
        "DOCS_ACCESS": "open",
    }
    assert expected == http_function(list(_functions(project_template()).values())).environment


def test_the_mapping_is_the_templates(tmp_path: Path) -> None:
    """Change a batch size there, and the laptop polls with it."""
    function = _functions(changed_template(tmp_path, "BatchSize: 100", "BatchSize: 7"))["ToS3Function"]
    assert function.mapping is not None
    assert (function.mapping["BatchSize"], function.stream) == (7, "local-Stream")


def test_globals_hold_unless_the_function_says_otherwise(tmp_path: Path) -> None:
    """Single properties are replaced, variables are added to."""
    shared = "Globals: {Function: {Timeout: 30, Environment: {Variables: {A: a, B: b}}}}\n"
    own = "{Handler: a.b.c, Timeout: 60, Environment: {Variables: {B: c}}}"
    text = f"{shared}Resources: {{F: {{Type: AWS::Serverless::Function, Properties: {own}}}}}"
    function = _functions(template_of(tmp_path, text))["F"]
    assert (function.timeout_seconds, function.environment) == (60, {"A": "a", "B": "c"})


def test_numbers_and_booleans_become_text(tmp_path: Path) -> None:
    """An environment holds text only; CloudFormation writes booleans in lower case."""
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
def test_a_function_that_cannot_be_run_is_an_error(tmp_path: Path, properties: str, message: str) -> None:
    """One sentence that names the function or the variable."""
    with pytest.raises(RunError, match=message):
        _one(tmp_path, properties)


def test_a_kinesis_event_without_a_stream_is_an_error(tmp_path: Path) -> None:
    """There is nothing to poll."""
    function = _one(tmp_path, "{Handler: a.b.c, Events: {A: {Type: Kinesis, Properties: {BatchSize: 1}}}}")
    with pytest.raises(RunError, match="names no stream"):
        _ = function.stream


def test_a_template_without_an_http_function_is_an_error() -> None:
    """The local runtime serves exactly one."""
    with pytest.raises(RunError, match="0 functions with an HTTP event"):
        http_function([])
