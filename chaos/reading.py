"""Reading the stream so that its end is told the same on every engine."""

from dataclasses import replace

from local_runtime.event_source_mapping import KinesisReader
from local_runtime.event_source_mapping.readers import Page


class CarefulReader(KinesisReader):
    """Takes only an empty page for the tip: kinesalite says that it is 0 ms behind, whatever is still to come."""

    def read(self, shard_id: str, iterator: str, limit: int) -> Page:
        page = super().read(shard_id, iterator, limit)
        return replace(page, behind_ms=max(page.behind_ms, 1)) if page.records else page
