"""Breaks the pipeline on purpose, by seed, and accounts for every row afterwards. Never shipped.

The client, the API, the consumers and the event source mapping are the real ones; only the weather is made up.
"""
