"""API keys: who may call which route. The table holds hashes only, and is asked once a minute for each key."""
