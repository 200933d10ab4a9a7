"""The HTTP API: it accepts batches of invoice rows and answers queries."""
