"""Receipts: what the API says of a batch once all of its rows can be queried."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from client.api import Api
from client.environment import Environment
from client.errors import ApiUnavailable, NotFound, RequestRefused, UnexpectedResponse

_FIRST_PAUSE_SECONDS = 0.1
_PAUSE_GROWTH = 1.5
_LONGEST_PAUSE_SECONDS = 2.0
_LONGEST_WAIT_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Queryable:
    """All batches of an upload can be queried, `seconds` after the last response. `set_aside` counts rows."""

    seconds: float
    set_aside: int


async def fetch_receipt(api: Api, batch_id: str) -> dict[str, object]:
    """Raises NotFound while there is none, or an ApiError."""
    return await api.get(f"batches/{quote(batch_id, safe='')}", {})


async def wait_until_queryable(api: Api, batch_ids: Iterable[str], environment: Environment) -> Queryable:
    """Return when every batch has its receipt. Raises an ApiError, also where one has none after ten minutes."""
    started = environment.clock()
    try:
        set_aside = [await _set_aside(api, batch_id, environment) for batch_id in batch_ids]
    except RequestRefused as error:
        raise RequestRefused(f"All rows were sent, but --wait needs a key with the scope read. {error}") from error
    return Queryable(environment.clock() - started, sum(set_aside))


async def _set_aside(api: Api, batch_id: str, environment: Environment) -> int:
    deadline = environment.clock() + _LONGEST_WAIT_SECONDS
    pause = _FIRST_PAUSE_SECONDS
    while environment.clock() < deadline:
        try:
            return _count((await fetch_receipt(api, batch_id)).get("set_aside"))
        except NotFound:
            await environment.sleep(pause)
            pause = min(pause * _PAUSE_GROWTH, _LONGEST_PAUSE_SECONDS)
    raise ApiUnavailable(f"All rows were sent, but batch {batch_id} cannot be queried after ten minutes.")


def _count(value: object) -> int:
    if type(value) is not int:
        raise UnexpectedResponse("The API's receipt does not say how many rows were set aside.")
    return value
