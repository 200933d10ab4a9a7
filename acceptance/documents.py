"""`python -m acceptance.documents` writes docs/openapi.json, and the Postman collection that is made of it."""

import subprocess
from pathlib import Path

from acceptance.artifacts import PROJECT
from tests.pipeline_api.openapi_document import DOCUMENT, openapi_text

THIRD_PARTY = PROJECT / "acceptance" / "third_party_clients"
COLLECTION = PROJECT / "docs" / "postman_collection.json"


def collection_text(document: str) -> str:
    command: list[str | Path] = ["node", THIRD_PARTY / "postman_collection.cjs"]
    return subprocess.run(command, check=True, input=document, capture_output=True, text=True).stdout


if __name__ == "__main__":
    DOCUMENT.write_text(openapi_text())
    COLLECTION.write_text(collection_text(openapi_text()))
