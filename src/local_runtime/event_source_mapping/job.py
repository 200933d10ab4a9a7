"""What every part of one mapping has to know."""

from dataclasses import dataclass

from local_runtime.event_source_mapping.delivery import Rules
from local_runtime.event_source_mapping.invocation import Function
from local_runtime.event_source_mapping.settings import MappingSettings
from local_runtime.event_source_mapping.world import World


@dataclass(frozen=True, slots=True)
class Job:
    """Which function gets which stream's records, by which settings, in which world."""

    stream_arn: str
    settings: MappingSettings
    function: Function
    world: World

    @property
    def rules(self) -> Rules:
        return Rules(self.settings, self.world.backoff)
