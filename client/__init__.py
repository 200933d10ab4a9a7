"""CSV in, HTTP out: sends a file of invoice rows to the API and shows what the API answers."""
