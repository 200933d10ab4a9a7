"""The HTTP side: takes batches of invoice rows and answers queries."""
