"""What the bucket holds."""

from chaos.stores import Stores


def read_objects(stores: Stores) -> dict[str, bytes]:
    """Every object by its key."""
    s3 = stores.clients.s3
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=stores.bucket)
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    return {key: s3.get_object(Bucket=stores.bucket, Key=key)["Body"].read() for key in keys}
