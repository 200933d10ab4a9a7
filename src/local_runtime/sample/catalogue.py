"""The sample's goods, customers and countries: all invented."""

from itertools import islice, product
from typing import NamedTuple

HOME = "United Kingdom"
_ABROAD = ("Ireland", "Norway", "Portugal", "Austria", "Malta", "New Zealand", "Unspecified", "Canary Islands")
_ABROAD_EVERY = 11
_TWO_COUNTRIES_EVERY = 500

_PRODUCTS = 2_000
_FIRST_CODE = 31_003
_CODE_STEP = 7
_COLOURS = ("AMBER", "BLUE", "CORAL", "DENIM", "EMERALD", "FAWN", "GREY", "IVORY", "JADE", "LILAC")
_STYLES = ("STRIPED", "DOTTED", "WOVEN", "ENAMEL", "PAPER", "FOLDING", "TALL", "POCKET", "GLAZED", "KNOTTED")
_THINGS = (
    *("BREAD BIN", "CANDLE TRAY", "DOOR STOP", "EGG BASKET", "FRUIT BOWL", "GARDEN LANTERN", "HAND MIRROR"),
    *("JAM POT", "KITCHEN CLOCK", "LETTER RACK", "MILK JUG", "NOTEBOOK", "OVEN GLOVE", "PEN CASE", "QUILT"),
    *("RIBBON SET", "SEWING TIN", "TEA COSY", "UMBRELLA", "WALL HOOK"),
)


class Product(NamedTuple):
    """`pence` is the price in hundredths."""

    code: str
    description: str
    pence: int


POSTAGE = Product("POST", "POSTAGE AND PACKING", 1_800)
DISCOUNT = Product("D", "Discount", 2_750)
MANUAL = Product("M", "Entered by hand", 1_200)
BANK_CHARGES = Product("BANK CHARGES", "Charges of the bank", 1_500)
VOUCHER = Product("gift_0001_40", "Voucher worth £40", 3_333)
EXTRAS = (POSTAGE, MANUAL, BANK_CHARGES, VOUCHER)


def catalogue() -> list[Product]:
    names = islice(product(_THINGS, _COLOURS, _STYLES), _PRODUCTS)
    return [
        Product(_code(number), _description(number, f"{colour} {style} {thing}"), 25 + number * 37 % 1_270)
        for number, (thing, colour, style) in enumerate(names)
    ]


def customer_id(number: int) -> str:
    return str(20_001 + number)


def country_of(number: int, visit: int) -> str:
    """Most live at home; now and then one has moved, and orders from both places."""
    if number % _TWO_COUNTRIES_EVERY == 0 and visit % 2:
        return _ABROAD[number // _TWO_COUNTRIES_EVERY % len(_ABROAD)]
    return _ABROAD[number % len(_ABROAD)] if number % _ABROAD_EVERY == 1 else HOME


def _code(number: int) -> str:
    digits = str(_FIRST_CODE + number * _CODE_STEP)
    if number % 5 == 1:
        return digits + "ABCDEFG"[number % 7]
    return digits + "bc"[number % 2] if number % 40 == 2 else digits  # noqa: PLR2004 - one code in forty


def _description(number: int, name: str) -> str:
    """One in ninety has a quote or a comma in it, one in three hundred a £, one in five spaces around it."""
    match number % 300:
        case 11 | 111:
            name = f'{name} "HOME"'
        case 57 | 157:
            name = f"{name}, SET OF {number % 5 + 2}"
        case 77:
            name = f"{name} £{number % 9 + 1} OFF"
    match number % 20:
        case 3 | 9 | 16:
            return f"{name} "
        case 7:
            return f" {name}"
        case _:
            return name
