"""What a run left behind, and what went into it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from chaos.foreign import Foreign
from chaos.shop import Fact, ShopRow, facts_of
from chaos.stores import Stores
from chaos.uploading import Uploaded
from local_runtime.event_source_mapping.destinations import DiscardedBatch


@dataclass(frozen=True, slots=True)
class Evidence:
    """`put` are the records of our API that the stream took, in order; `logs` all that was logged.

    `asked` are the batch ids that the client ever sent a request for, `objects` the whole bucket.
    """

    rows: Sequence[ShopRow]
    uploaded: Uploaded
    foreign: Sequence[Foreign]
    put: Sequence[tuple[str, bytes]]
    asked: frozenset[str]
    stores: Stores
    discarded: Sequence[DiscardedBatch]
    logs: Sequence[str]
    objects: Mapping[str, bytes]

    @property
    def facts(self) -> list[Fact]:
        """Every line that the tables have to hold, as often as it was sent as a row of its own."""
        return [*facts_of(self.rows), *self.foreign_facts()]

    def objects_under(self, prefix: str) -> dict[str, bytes]:
        return {key: data for key, data in self.objects.items() if key.startswith(prefix)}

    def foreign_facts(self) -> list[Fact]:
        return [fact for record in _each_once(self.foreign) for fact in record.facts]


def _each_once(records: Iterable[Foreign]) -> list[Foreign]:
    """A record that another producer put twice is one batch."""
    return list({(record.key, record.data): record for record in records}.values())


def difference(name: str, expected: Iterable[object], actual: Iterable[object]) -> list[str]:
    """What is missing and what is too many, as counts and one example of each."""
    want, have = Counter(expected), Counter(actual)
    return [*_named(f"{name}: missing", want - have), *_named(f"{name}: too many", have - want)]


def _named(what: str, left: Counter[object]) -> list[str]:
    return [f"{what} {left.total()}, such as {next(iter(left))}"] if left else []
