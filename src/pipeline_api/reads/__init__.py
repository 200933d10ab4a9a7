"""Queries: an invoice, a customer, a customer's invoices. Totals are computed from the lines each time."""
