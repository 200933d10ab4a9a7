"""The operator's commands: what was set aside, whether everything arrived once, and the tables built anew."""
