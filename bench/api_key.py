"""The one API key of the measurements, and what the table of keys answers for it."""

from base64 import b64encode

from aws.api_keys import generate_key, key_hash

TEXT = generate_key(bytes)  # of zeros: it opens nothing


def stored_key() -> dict[str, object]:
    """As the JSON of DynamoDB's answer to GetItem."""
    item = {
        "KeyId": {"S": TEXT.partition(".")[0]},
        "Name": {"S": "bench"},
        "Scopes": {"SS": ["ingest", "read"]},
        "Hash": {"B": b64encode(key_hash(TEXT)).decode()},
        "CreatedAt": {"S": "2026-11-22T00:00:00Z"},
    }
    return {"Item": item}
