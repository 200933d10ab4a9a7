"""The page GET /console: static files that call the API with the key of whoever looks at it."""
