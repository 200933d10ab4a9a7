"""Takes out of botocore's data what a function never reads: `python slim_botocore.py FOLDER`.

The prose of the service descriptions, and the endpoints of services whose folders are not there. Both are parsed at
every cold start: the table of endpoints alone, 1.2 MB, takes longer than all that makes a client.
"""

import gzip
import json
import sys
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

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
    _rewrite(folder / "endpoints.json", lambda endpoints: only_services(endpoints, services))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
