"""Why the client stops, in one tree; every message can be shown to the user as it is.

Exception
└── Failure
    ├── BadInput           the file or the command line is at fault
    ├── CannotWrite        the rejects cannot be kept
    ├── NoSuchEntry        the API knows no such invoice or customer
    ├── BodyTooLarge       413: the same rows may pass in smaller batches
    └── ApiFailure         the API is at fault, or we do not understand each other
        ├── ApiGone            no usable answer, however often we asked
        ├── Refused            the API does not take our requests at all (wrong key, wrong address)
        └── StrangeAnswer      an answer that our API never gives
"""


class Failure(Exception):
    """The message is one or more whole sentences without any value of a row."""


class BadInput(Failure):
    """Nothing but another file or another command line helps."""


class CannotWrite(Failure):
    """Going on would lose rejects in silence."""


class NoSuchEntry(Failure):
    """404 for a name that was asked for."""


class BodyTooLarge(Failure):
    """The API's limit on one request, in the API's own words."""


class ApiFailure(Failure):
    """The upload cannot go on; the file is not at fault."""


class ApiGone(ApiFailure):
    """Transport errors, throttling or 5xx until the last attempt."""


class Refused(ApiFailure):
    """A 4xx that no retry changes."""


class StrangeAnswer(ApiFailure):
    """Not what the API documents: perhaps another server answers at this address."""
