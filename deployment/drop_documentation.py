"""Takes the prose out of botocore's service descriptions: `python drop_documentation.py FOLDER`.

It is half of what boto3 adds to an artifact, is parsed at every cold start, and nothing reads it there.
"""

import gzip
import json
import sys
from pathlib import Path

_PROSE = "documentation"


def without_prose(node: object) -> object:
    """The same description; a member that is itself called `documentation` is a mapping, and stays."""
    match node:
        case dict():
            kept = {name: value for name, value in node.items() if name != _PROSE or not isinstance(value, str)}
            return {name: without_prose(value) for name, value in kept.items()}
        case list():
            return [without_prose(each) for each in node]
        case _:
            return node


def main(folder: Path) -> None:
    for path in folder.rglob("service-2.json.gz"):
        description = without_prose(json.loads(gzip.decompress(path.read_bytes())))
        text = json.dumps(description, separators=(",", ":")).encode()
        path.write_bytes(gzip.compress(text, mtime=0))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
