"""The one name that a request keeps from the answer to the raw object."""

import re
from datetime import UTC, datetime
from uuid import RFC_4122, UUID

from invoices.errors import Malformed

BATCH_ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
_BATCH_ID = re.compile(BATCH_ID_PATTERN[:-1] + r"\Z")
_VERSION_WITH_TIME = 7
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def checked_batch_id(text: str) -> str:
    """`text` itself if it can stand in an object key; raises Malformed otherwise."""
    if not _BATCH_ID.match(text):
        raise Malformed("a batch id is 1 to 64 letters, digits, '.', '_' or '-', and starts with a letter or digit")
    return text


def batch_time(batch_id: str) -> datetime:
    """When the batch was named (UTC): a UUIDv7 carries it; any other name is filed under 1970-01-01.

    It must come from the name alone: a second record of the same batch, put after a lost acknowledgement, has
    another arrival time but has to find the first one's object.
    """
    try:
        uuid = UUID(batch_id)
        if uuid.version != _VERSION_WITH_TIME or uuid.variant != RFC_4122:
            return _EPOCH
        return datetime.fromtimestamp((uuid.int >> 80) / 1000, UTC)
    except (ValueError, OverflowError):
        return _EPOCH


def dated_folder(batch_id: str) -> str:
    """`dt=YYYY-MM-DD/hour=HH`, from the batch's name alone and so the same on every delivery."""
    return f"{batch_time(batch_id):dt=%Y-%m-%d/hour=%H}"


def raw_key(batch_id: str) -> str:
    """The key of the batch's raw object."""
    return f"raw/{dated_folder(batch_id)}/{batch_id}.ndjson.gz"
