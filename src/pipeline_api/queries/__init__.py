"""The queries: GET /invoices and GET /customers."""
