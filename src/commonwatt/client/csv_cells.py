"""Texts as cells of CSV that people open in a spreadsheet."""

import re

_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def text_cell(text: str) -> str:
    """Return a text so that no spreadsheet computes it: with an apostrophe before a formula.

    >>> text_cell("Flat 1"), text_cell("=HYPERLINK(1)"), text_cell("-0.125")
    ('Flat 1', "'=HYPERLINK(1)", '-0.125')
    """
    if text.startswith(_BEGINS_A_FORMULA) and _NUMBER.fullmatch(text) is None:
        return f"'{text}"
    return text
