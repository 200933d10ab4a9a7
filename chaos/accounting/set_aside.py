"""`failed/` holds what was set aside, each payload once and with its reason; nothing was discarded by Lambda."""

import gzip
import json
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from chaos.accounting.evidence import Evidence, difference
from chaos.foreign import Foreign
from chaos.shop import MARK


def check_set_aside(evidence: Evidence) -> list[str]:
    stored = {key: json.loads(data) for key, data in evidence.objects_under("failed/").items()}
    expected = {_expected(record, stage) for record in evidence.foreign for stage in record.failed_in}
    unexplained = [key for key, document in stored.items() if not _explains(document)]
    return [
        *difference("set-aside records", expected, map(_told, stored.values())),
        *difference("set-aside records without a reason, or with a row's content in it", [], unexplained),
        *difference("records that Lambda discarded", [], [each.batch.condition for each in evidence.discarded]),
        *difference("objects elsewhere in the bucket", [], _elsewhere(evidence)),
    ]


def _expected(record: Foreign, stage: str) -> tuple[str, str, bytes]:
    payload = b"\n".join(record.bad_rows) if record.bad_rows else record.data
    return stage, record.key, payload


def _told(document: Mapping[str, Any]) -> tuple[str, str, bytes]:
    """Rows that were picked from a record are compared as rows: how they are packed is nobody's promise."""
    payload = b64decode(document["payload_base64"])
    return document["stage"], document["batch_id"], gzip.decompress(payload) if document["errors"] else payload


def _explains(document: Mapping[str, Any]) -> bool:
    said = json.dumps([document["reason"], document["errors"]])
    return bool(document["reason"] and document["sequence_number"]) and MARK not in said


def _elsewhere(evidence: Evidence) -> list[str]:
    return [key for key in evidence.objects if not key.startswith(("raw/", "failed/"))]
