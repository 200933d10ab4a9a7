"""What both sides of the stream need of AWS: clients, errors, items, events, metrics, settings and API keys."""
