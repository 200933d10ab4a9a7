"""Why a command ends early. Each message is shown to the user as it is: whole sentences, and never a value of a row.

Exception
└── CommandError
    ├── BadInput                the file or the command line is wrong
    │   └── FileChanged             the file is no longer what it was at the first reading
    ├── CannotWrite             the journal or the rejects file cannot be written
    ├── NotFound                the API has no such invoice, customer or batch
    ├── BodyTooLarge            413: the same rows may pass in smaller batches
    └── ApiError                the command cannot go on, and the input is not the reason
        ├── ApiUnavailable          no usable response after the last attempt
        ├── RequestRefused          a 4xx that no retry changes, such as a wrong key
        └── UnexpectedResponse      a response that our API never gives: another server may be at this address
"""


class CommandError(Exception):
    """The root of everything that a command reports instead of a traceback."""


class BadInput(CommandError):
    """Only another file or another command line helps."""


class FileChanged(BadInput):
    """The rows that were read before the change may have been sent."""

    def __init__(self) -> None:
        super().__init__("The file was changed while it was read.")


class CannotWrite(CommandError):
    """Going on would lose rejected rows, or the means to resume."""


class NotFound(CommandError):
    """A 404 for one invoice, customer or batch."""


class BodyTooLarge(CommandError):
    """The message is the API's own, which names its limit."""


class ApiError(CommandError):
    """The same command may succeed later or with another address or key."""


class ApiUnavailable(ApiError):
    """Every attempt failed with a transport error, a 429 or a 5xx."""


class RequestRefused(ApiError):
    """The API does not take this client's requests."""


class UnexpectedResponse(ApiError):
    """Rows that such a response speaks of never count as sent."""
