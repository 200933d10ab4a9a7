"""POST /ingest: one request is one batch is one record on the stream."""
