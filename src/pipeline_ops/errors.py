"""The errors of a command: one sentence for the operator who typed it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from aws.errors import error_code
from invoices.errors import Rejected, Retryable

_SENTENCES = (
    (
        "duckdb",
        "OperationalError",
        "The lake's lines cannot be read or written here: {}. Free memory or disk space, and run the command again.",
    ),
    ("deltalake.exceptions", "TableNotFoundError", "The lake has no table yet; run invoice-stream ops lake refresh."),
    ("consumers.lake.table", "NewerTable", "{}. Install the version of the stack, and run the command again."),
)
"""Module, error and sentence, of modules that only some commands load. The other errors of DuckDB are bugs of ours."""


class OpsError(Exception):
    """The command cannot be carried out; the message is one sentence."""


@contextmanager
def raise_ops_errors() -> Iterator[None]:
    """Translate errors of AWS, of a payload, of the network, of files and of the lake to OpsError.

    A bug is raised as it is.
    """
    try:
        yield
    except ClientError as error:
        raise OpsError(f"AWS refused {error.operation_name} ({error_code(error)})") from error
    except BotoCoreError as error:
        raise OpsError(f"AWS could not be called: {error}") from error
    except (Rejected, Retryable) as error:
        raise OpsError(str(error)) from error
    except OSError as error:
        if error.errno is None or isinstance(error, BrokenPipeError):  # no file's, or the output's reader has ended
            raise
        where = f"{error.filename}: " if error.filename else ""
        raise OpsError(f"A file cannot be read or written: {where}{error.strerror or error}") from error
    except Exception as error:
        if sentence := _sentence_of(error):
            raise OpsError(sentence) from error
        raise


def _sentence_of(error: Exception) -> str | None:
    """A module that is not loaded has raised nothing, so none is loaded for this."""
    for module, name, sentence in _SENTENCES:
        kind = getattr(sys.modules.get(module), name, None)
        if kind and isinstance(error, kind):
            return sentence.format(str(error).partition("\n")[0].rstrip("."))
    return None
