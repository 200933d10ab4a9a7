"""The lake: a Delta table in which each line of the archive stands once, whatever was sent again."""
