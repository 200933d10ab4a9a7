"""Every limit on rows, batches and slices, with its unit and its source."""

MAX_BODY_BYTES = 4 * 1024 * 1024
"""A request body, both as it arrives and inflated. Lambda takes about 4.5 MB of a base64 body (AWS: Lambda quotas)."""

MAX_RECORD_BYTES = 1024 * 1024 - 1024
"""A record's data: Kinesis's older limit of 1 MiB for data and partition key, less room for the key."""

MAX_ROWS = 10_000
"""Rows in one batch: an answer that names every one of them as rejected stays below Lambda's 6 MB."""

MAX_ROW_BYTES = 64 * 1024
"""One row's JSON text: about ten times what the longest fields need."""

MAX_ERRORS_PER_ROW = 4
"""Fields named for one rejected row; every rejected row is named at least once."""

MAX_SLICE_LINES = 1_000
"""Lines in one slice, so that a person can read an item in a console."""

MAX_SLICE_BYTES = 300_000
"""A slice's item, as an estimate that is never too low: safely below DynamoDB's 400 KB."""

MAX_KEPT_ROWS = 5_000
"""Rejected rows of one request that are kept: as many as the client's batches have."""

MAX_KEPT_BYTES = 1_000_000
"""The bytes of these rows, so that writing them takes some 30 ms and a CSV of them stays below Lambda's 6 MB."""
