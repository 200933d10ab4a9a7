"""POST /ingest: one request is one batch, and one record on the stream."""
