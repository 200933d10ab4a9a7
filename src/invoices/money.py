"""Money: exact products and sums, and its text in an answer."""

from decimal import Context, Decimal

_EXACT = Context(prec=60)  # Python's 28 digits would round an invoice of 20,000 lines of the largest amounts
_CENTS = -2


def exact_product(quantity: int, price: Decimal) -> Decimal:
    return _EXACT.multiply(Decimal(quantity), price)


def exact_sum(one: Decimal, other: Decimal) -> Decimal:
    return _EXACT.add(one, other)


def money_text(amount: Decimal) -> str:
    """At least two decimals, no further zeros at the end, no exponent: `2.50`, `0.001`, `-11062.06`, never `-0.00`."""
    plain = amount.normalize(_EXACT) or Decimal(0)
    exponent = plain.as_tuple().exponent
    has_cents = isinstance(exponent, int) and exponent <= _CENTS
    return format(plain if has_cents else plain.quantize(Decimal("0.01"), context=_EXACT), "f")
