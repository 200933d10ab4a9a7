"""`erase`: removes a customer from every store."""
