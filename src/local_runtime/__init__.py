"""The laptop's AWS: an engine for the data, processes of our own in Lambda's place, and a run from CSV to report."""
