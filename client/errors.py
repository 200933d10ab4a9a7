"""Why the client stops, in one tree; every message can be shown to the user as it is.

Exception
└── CommandError
    ├── BadInput           the file or the command line is at fault
    ├── CannotWrite        the rejects cannot be kept
    ├── NotFound        the API knows no such invoice or customer
    ├── BodyTooLarge       413: the same rows may pass in smaller batches
    └── ApiError         the API is at fault, or we do not understand each other
        ├── ApiUnavailable            no usable answer, however often we asked
        ├── RequestRefused            the API does not take our requests at all (wrong key, wrong address)
        └── UnexpectedResponse      an answer that our API never gives
"""


class CommandError(Exception):
    """The message is one or more whole sentences without any value of a row."""


class BadInput(CommandError):
    """Nothing but another file or another command line helps."""


class CannotWrite(CommandError):
    """Going on would lose rejects in silence."""


class NotFound(CommandError):
    """404 for a name that was asked for."""


class BodyTooLarge(CommandError):
    """The API's limit on one request, in the API's own words."""


class ApiError(CommandError):
    """The upload cannot go on; the file is not at fault."""


class ApiUnavailable(ApiError):
    """Transport errors, throttling or 5xx until the last attempt."""


class RequestRefused(ApiError):
    """A 4xx that no retry changes."""


class UnexpectedResponse(ApiError):
    """Not what the API documents: perhaps another server answers at this address."""
