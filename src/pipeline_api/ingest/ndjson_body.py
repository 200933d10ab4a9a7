"""A body of NDJSON: each row keeps its own bytes."""

from invoices.rows import ndjson_rows, read_each, rows_if_all_valid
from pipeline_api.ingest.checked import Checked


def read_ndjson_body(text: bytes) -> Checked:
    """Raises TooLarge beyond the limit of rows; a bad row is an error in the answer."""
    if (all_valid := rows_if_all_valid(text)) is not None:
        return Checked(all_valid, lambda: text)
    texts = ndjson_rows(text)
    rows = read_each(texts)
    return Checked(rows, lambda: b"\n".join(texts[index] for index in rows.indexes))
