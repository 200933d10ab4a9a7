"""GET /docs: Swagger UI from files of our own, so that it needs no internet."""
