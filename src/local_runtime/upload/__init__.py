"""The client's run over the CSV, followed on one screen until every row has come through."""
