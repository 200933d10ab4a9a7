"""The page GET /docs: Swagger UI from our own files, so that it needs no internet."""
