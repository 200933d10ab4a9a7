"""Fault injection by seed: a file goes through the whole pipeline, and every row is accounted for. Never shipped.

Client, API, consumers and event source mapping are the real ones. Only faults and time are simulated.
"""
