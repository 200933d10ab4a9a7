"""`erase`: removes a customer from every store, or with `--keep-lines` from the lines, which stay."""
