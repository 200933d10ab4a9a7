"""`raw/` holds every readable batch of the stream, each body once, under its own name."""

import re
from datetime import UTC, datetime
from uuid import UUID

from chaos.accounting.evidence import Evidence, difference

_GZIP_MAGIC = b"\x1f\x8b\x08"
_KEY = re.compile(r"raw/(dt=[0-9-]+/hour=[0-9]+)/([^/=]+)(=[0-9a-f]{16})?\.ndjson\.gz")
_VERSION_WITH_TIME = 7


def check_archive(evidence: Evidence) -> list[str]:
    stored = evidence.objects_under("raw/")
    names = [match for key in stored if (match := _KEY.fullmatch(key))]
    bodies = [(batch_of(key), data) for key, data in stored.items()]
    firsts = [match[2] for match in names if not match[3]]
    misplaced = [match[0] for match in names if match[1] != folder_of(match[2])]
    return [
        *difference("raw objects", expected_bodies(evidence), bodies),
        *difference("batches whose first body has the batch's name", {key for key, _ in bodies}, firsts),
        *difference("raw objects with another name than a batch has", [], stored.keys() - {each[0] for each in names}),
        *difference("raw objects in another hour's folder", [], misplaced),
    ]


def expected_bodies(evidence: Evidence) -> set[tuple[str, bytes]]:
    """A batch that was put twice, because its answer was lost, is still one batch."""
    foreign = [(record.key, record.data) for record in evidence.foreign if "to_s3" not in record.failed_in]
    return {(key, data) for key, data in (*evidence.put, *foreign) if data.startswith(_GZIP_MAGIC)}


def batch_of(key: str) -> str:
    return key.rpartition("/")[2].partition(".ndjson")[0].partition("=")[0]


def folder_of(batch_id: str) -> str:
    """By the time in a UUIDv7; 1970 for any other name."""
    try:
        uuid = UUID(batch_id)
    except ValueError:
        return "dt=1970-01-01/hour=00"
    seconds = (uuid.int >> 80) / 1000 if uuid.version == _VERSION_WITH_TIME else 0
    return f"{datetime.fromtimestamp(seconds, UTC):dt=%Y-%m-%d/hour=%H}"
