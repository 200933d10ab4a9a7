"""What the OpenAPI document says of the API as a whole."""

from typing import Any

_DESCRIPTION = """\
Rows of invoices go in with `POST /ingest`, one or many at a time, and can be queried a moment later, by invoice and
by customer. Every accepted row is kept once: in the raw archive, and in the answers below.

**Sending again is safe.** A row that carries `Occurrence` (1 for the first row with exactly this content in its source,
2 for the second …) counts once, however often and in whichever batch it is sent. The header `Idempotency-Key`
names a batch: use the same key for each retry of the same batch.

**Nothing is dropped in silence.** Each refused row is named with its index, the field and the rule that it broke. The
valid rows of the same batch are taken.

**Money is text**, such as `"139.12"`, so that no program makes a binary fraction of it.

**Errors** are problem details (RFC 9457, `application/problem+json`). After 429 and 503, wait for `Retry-After` seconds
and send the same request again.
"""

ABOUT: dict[str, Any] = {
    "title": "Invoice stream",
    "summary": "Takes batches of invoice rows and answers queries about them.",
    "description": _DESCRIPTION,
    "version": "0.1.0",
    "license_info": {"name": "MIT", "identifier": "MIT"},
    "openapi_tags": [
        {"name": "ingest", "description": "Rows in: one request is one batch."},
        {"name": "invoices", "description": "An invoice with its lines and totals."},
        {"name": "customers", "description": "A customer's totals, and the customer's invoices page by page."},
        {"name": "health", "description": "For load balancers and for waiting until the API is up."},
    ],
}
