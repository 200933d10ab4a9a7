"""Amounts as people read them. They come as text and never become a float."""

from decimal import Decimal, InvalidOperation

from client.failures import StrangeAnswer


def money(text: object) -> str:
    """`5391.21` as `5,391.21`; as many decimals as the API gives."""
    try:
        return f"{Decimal(text if isinstance(text, str) else ''):,f}"
    except InvalidOperation as error:
        raise StrangeAnswer("The API's answer holds an amount that is no decimal number in quotes.") from error
