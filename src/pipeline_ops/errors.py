"""The errors of a command: one sentence for the operator who typed it."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from aws.errors import error_code
from invoices.errors import Rejected, Retryable


class OpsError(Exception):
    """The command cannot be carried out; the message is one sentence."""


@contextmanager
def raise_ops_errors() -> Iterator[None]:
    """Translate errors of AWS, of a payload, of the network and of files to OpsError. A bug is raised as it is."""
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
