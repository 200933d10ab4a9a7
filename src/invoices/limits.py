"""Every limit of the shape, with its unit and where it comes from."""

MAX_BODY_BYTES = 4 * 1024 * 1024
"""A request body, both as it arrives and inflated. Lambda takes about 4.5 MB of base64 body (AWS: Lambda quotas)."""

MAX_RECORD_BYTES = 1024 * 1024 - 1024
"""A record's data: Kinesis's classic 1 MiB for data and partition key, less room for the key."""

MAX_ROWS = 10_000
"""Rows in one batch: keeps an answer that names every refused row below Lambda's 6 MB."""

MAX_ROW_BYTES = 64 * 1024
"""One row's JSON text: some ten times what the longest fields need."""

MAX_ERRORS_PER_ROW = 4
"""Faulty fields named for one row; a refused row is always named at least once."""

MAX_SLICE_LINES = 1_000
"""Lines in one slice, so that an item stays readable in a console."""

MAX_SLICE_BYTES = 300_000
"""A slice's item, estimated from above: safely below DynamoDB's 400 KB."""
