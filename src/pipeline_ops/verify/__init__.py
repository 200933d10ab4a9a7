"""`verify`: compares a CSV, the archive and the tables, line by line."""
