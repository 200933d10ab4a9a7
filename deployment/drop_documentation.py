"""Takes the prose out of botocore's service descriptions: `python drop_documentation.py FOLDER`.

It is half of what boto3 adds to an artifact, is parsed at every cold start, and nothing reads it there.
"""

import gzip
import json
import sys
from pathlib import Path

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


def _is_prose(name: str, value: object) -> bool:
    return name == _PROSE and isinstance(value, str)


def main(folder: Path) -> None:
    for path in folder.rglob("service-2.json.gz"):
        description = without_prose(json.loads(gzip.decompress(path.read_bytes())))
        text = json.dumps(description, separators=(",", ":")).encode()
        path.write_bytes(gzip.compress(text, mtime=0))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
