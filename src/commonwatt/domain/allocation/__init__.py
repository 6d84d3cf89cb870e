"""Sharing the site's own energy among its consumers, exact to the Wh.

An allocation key is a pure function of `SharingTerms`; `share_out` applies one. What they answer,
the order of the consumers and the dither are part of the stored format: they change only from a
date on. docs/allocation.md has an example of each key.
"""

from commonwatt.domain.allocation.keys import KEYS, Key, ShareMeaning, share_out
from commonwatt.domain.allocation.rounding import dither
from commonwatt.domain.allocation.terms import Percentages, Rounding, SharingTerms

__all__ = [
    "KEYS",
    "Key",
    "Percentages",
    "Rounding",
    "ShareMeaning",
    "SharingTerms",
    "dither",
    "share_out",
]
