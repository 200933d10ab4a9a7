"""Slow tests of a deployment that need no AWS: `make prove`. Each prints what it measured."""
