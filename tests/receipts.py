"""Receipts for tests."""

from aws.receipts import Receipt, body_id, timestamp


def receipt(batch_id: str, *, body: bytes = b"", arrived: float = 0.0, stored: int = 1, set_aside: int = 0) -> Receipt:
    """Of a batch that arrived at `arrived` seconds after 1970 and was queryable half a second later."""
    return Receipt(batch_id, body_id(batch_id, body), stored, set_aside, timestamp(arrived), timestamp(arrived + 0.5))
