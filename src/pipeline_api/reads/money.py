"""Amounts as the answers write them."""

from decimal import Decimal

from invoices.fields import price_text


def money(amount: Decimal) -> str:
    """At least two decimals and no needless zeros behind them; nothing is `0.00`, never `-0.00`."""
    return price_text(amount.normalize() or Decimal(0))
