"""Takes out of botocore's data what a function never reads: `python slim_botocore.py FOLDER`.

The prose of the service descriptions, the operations that nobody calls, and the endpoints of services whose folders are
not there. All are parsed at every cold start: the table of endpoints alone, 1.2 MB, takes longer than all that makes a
client.
"""

import gzip
import json
import sys
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any

OPERATIONS: Mapping[str, Collection[str]] = {
    "dynamodb": ("BatchGetItem", "BatchWriteItem", "GetItem", "PutItem", "Query"),
    "kinesis": ("PutRecord",),
    "s3": (
        *("DeleteObject", "GetObject", "ListObjectVersions", "ListObjectsV2", "PutObject"),
        *("CreateSession", "HeadBucket"),  # botocore's own: for directory buckets, and for a bucket in another region
    ),
    "sqs": ("DeleteMessageBatch", "GetQueueAttributes", "ReceiveMessage"),
}
"""What the functions call. A test compares it with the source. Services that are not here keep every operation."""

_PROSE = "documentation"


def without_prose(node: object) -> object:
    """The same description with empty texts: botocore looks the key up. A member called `documentation` stays."""
    match node:
        case dict():
            return {name: "" if _is_prose(name, value) else without_prose(value) for name, value in node.items()}
        case list():
            return [without_prose(each) for each in node]
        case _:
            return node


def only_operations(description: dict[str, Any], operations: Collection[str]) -> dict[str, Any]:
    """The same description with these operations, and with the shapes that they use."""
    kept = {name: operation for name, operation in description["operations"].items() if name in operations}
    used = _shape_names(kept)
    shapes: dict[str, Any] = {}
    while missing := used - shapes.keys():
        shapes |= {name: description["shapes"][name] for name in missing}
        used |= _shape_names([shapes[name] for name in missing])
    return {**description, "operations": kept, "shapes": shapes}


def _shape_names(node: object) -> set[str]:
    """The shapes to which any part of the node refers. A member of a structure may be called `shape`: it is a dict."""
    match node:
        case dict():
            named = {node["shape"]} if isinstance(node.get("shape"), str) else set()
            return named.union(*map(_shape_names, node.values()))
        case list():
            return set().union(*map(_shape_names, node))
        case _:
            return set()


def only_services(endpoints: dict[str, Any], services: Collection[str]) -> dict[str, Any]:
    """The same table of partitions, regions and defaults, for these services."""
    partitions = [
        {**partition, "services": {name: each for name, each in partition["services"].items() if name in services}}
        for partition in endpoints["partitions"]
    ]
    return {**endpoints, "partitions": partitions}


def _is_prose(name: str, value: object) -> bool:
    return name == _PROSE and isinstance(value, str)


def _rewrite(path: Path, change: Callable[[Any], object]) -> None:
    packed = path.suffix == ".gz"
    data = path.read_bytes()
    text = json.dumps(change(json.loads(gzip.decompress(data) if packed else data)), separators=(",", ":")).encode()
    path.write_bytes(gzip.compress(text, mtime=0) if packed else text)


def main(folder: Path) -> None:
    services = {each.name for each in folder.iterdir() if each.is_dir()}
    for path in folder.rglob("service-2.json.gz"):
        _rewrite(path, without_prose)
        if operations := OPERATIONS.get(path.parent.parent.name):
            _rewrite(path, partial(only_operations, operations=operations))
    _rewrite(folder / "endpoints.json", lambda endpoints: only_services(endpoints, services))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
