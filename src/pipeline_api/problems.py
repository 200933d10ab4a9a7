"""Problems, the RFC 9457 answers of the API, and the exceptions that only the API raises.

A problem never repeats what the caller sent.
"""

from typing import Annotated

from pydantic import BaseModel, Field

from invoices.errors import RowError

PROBLEM_JSON = "application/problem+json"


class UnsupportedMedia(Exception):
    """The body has a type, charset or encoding that the API does not accept."""


class Unauthenticated(Exception):
    """The request has no valid API key."""


class Forbidden(Exception):
    """The API key is valid, but it does not permit this request."""


class NotFound(Exception):
    """Nothing is stored under the id that a path or query names."""


class ReceiptNotFound(NotFound):
    """There is no receipt of the batch, perhaps not yet."""


class TooManyLines(Exception):
    """An invoice or a customer has more stored lines than a request reads."""


class TooManyBodies(Exception):
    """A batch has more receipts than a request reads."""


class SentBefore(Exception):
    """A row was already sent in place of the rejected one, with other values."""


class Problem(BaseModel):
    """What went wrong: `type` for programs, `detail` for people."""

    type: str
    title: str
    status: int
    detail: str


RowErrors = Annotated[
    list[RowError],
    Field(
        description=(
            "Every rejected row, with at least one entry. `index` is the place of the row in the request: it starts "
            "at 0 and does not count blank lines. `field` is null if the error concerns the whole row."
        )
    ),
]


class RowsProblem(Problem):
    """No row is valid."""

    errors: RowErrors


class ParameterError(BaseModel):
    """Why a parameter was rejected."""

    parameter: Annotated[
        str | None,
        Field(
            description="The name; null if it is repeated, or unknown and not close to a parameter or a field of a row."
        ),
    ]
    message: str


class ParametersProblem(Problem):
    """A parameter of the path or query is missing, unknown or invalid."""

    errors: list[ParameterError]
