"""What stops a command, in one sentence for the person who gave it."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from aws.errors import error_code
from invoices.errors import Rejected, Retryable


class OpsError(Exception):
    """A command cannot be done as it was asked for."""


@contextmanager
def as_one_sentence() -> Iterator[None]:
    """Raise OpsError for what a service, a payload or the network has against the command; a bug stays as it is."""
    try:
        yield
    except ClientError as error:
        raise OpsError(f"AWS refused {error.operation_name} ({error_code(error)})") from error
    except BotoCoreError as error:
        raise OpsError(f"AWS could not be asked: {error}") from error
    except (Rejected, Retryable) as error:
        raise OpsError(str(error)) from error
