"""Every limit of the client, with its unit and where it comes from."""

MAX_BATCH_ROWS = 10_000
"""The API's limit on rows in one request."""

MAX_BATCH_BYTES = 4 * 1024 * 1024
"""The API's limit on a request's inflated body."""

MAX_PACKED_BYTES = 1024 * 1024 - 1024
"""A gzip body must fit into one Kinesis record: 1 MiB, less room for its key."""

BLOCK_BYTES = 5 * 512 * 1024
"""What is read and parsed at a time, inflated: some 31,000 rows, which share the work of their distinct values."""

MAX_QUOTED_BYTES = 1024 * 1024
"""How far we look for the end of a quoted value that spans lines; beyond it, its quote counts as never closed."""

MAX_LINE_BYTES = 8 * 1024 * 1024
"""A line longer than this is no row of a CSV; reading stops."""
