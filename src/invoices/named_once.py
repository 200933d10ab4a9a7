"""Whether JSON rows name each field once: a parser keeps the last of two equal names in silence, and we refuse the row.

In valid JSON without blanks before colons `":` ends a name, or is an escaped quote and a colon inside a value.
"""

from collections.abc import Iterable

from invoices.line import Line

_NAME_END = b'":'
_ESCAPED_NAME_END = b'\\":'


def name_ends(text: bytes) -> int:
    """At least as many as there are names, where no colon has a blank before it."""
    return text.count(_NAME_END)


def names_fields_once(text: bytes, ends: int, lines: Iterable[Line], blanks: bytes = b" \t\r\n") -> bool:
    """For JSON text, its `name_ends` and the lines that were read from it. Sound, but says no too often.

    `blanks` are those that may stand before a colon.
    """
    names = ends - (text.count(_ESCAPED_NAME_END) if b"\\" in text else 0)
    return names == sum(len(line.model_fields_set) for line in lines) and not _has_spaced_colon(text, blanks)


def _has_spaced_colon(text: bytes, blanks: bytes) -> bool:
    return any(blank in text and b"%c:" % blank in text for blank in blanks)
