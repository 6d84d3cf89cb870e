"""The allocation keys by the names under which a site declares them, and how one is applied."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np

from commonwatt.domain.allocation.by_consumption import priority, pro_rata
from commonwatt.domain.allocation.by_percentage import equal, fixed, fixed_redistributed
from commonwatt.domain.allocation.by_producer import matrix, own_first
from commonwatt.domain.allocation.rounding import EXACT_BELOW
from commonwatt.domain.allocation.terms import SharingTerms
from commonwatt.domain.metering.load_profile import Energy

_CELLS_AT_ONCE = 1 << 15
"""Consumers x quarter-hours that are worked on together: what a key needs of them stays cached."""


class ShareMeaning(Enum):
    """What a key takes the ``share`` of a consumer for.

    PARTICIPATION: the percentage of its consumption that takes part; without one, all of it. FIXED:
    the percentage of the site's energy that it is entitled to; every consumer needs one.
    """

    NONE = "none"
    PARTICIPATION = "participation"
    FIXED = "fixed"


@dataclass(frozen=True, slots=True)
class Key:
    """An allocation key: the function, and what it takes of what is declared of consumers.

    ``entitles``: each producer that a consumer names comes with a percentage.
    """

    share: Callable[[SharingTerms], Energy]
    meaning: ShareMeaning
    entitles: bool = False


KEYS: Mapping[str, Key] = {
    "pro_rata": Key(pro_rata, ShareMeaning.PARTICIPATION),
    "priority": Key(priority, ShareMeaning.PARTICIPATION),
    "fixed": Key(fixed, ShareMeaning.FIXED),
    "fixed_redistributed": Key(fixed_redistributed, ShareMeaning.FIXED),
    "equal": Key(equal, ShareMeaning.NONE),
    "own_first": Key(own_first, ShareMeaning.PARTICIPATION),
    "matrix": Key(matrix, ShareMeaning.NONE, entitles=True),
}


def share_out(key: Key, terms: SharingTerms) -> Energy:
    """Share under a key; return a row a consumer [Wh], a column a quarter-hour.

    Whatever the key: each share lies within 0 and the consumer's weight, those of a quarter-hour
    never exceed its pool, and no quarter-hour looks at another.
    """
    sizes = (terms.weights.sum(axis=0), terms.available, terms.produced.sum(axis=0))
    large = np.logical_or.reduce([size >= EXACT_BELOW for size in sizes])
    if not large.any():
        return _in_pieces(key, terms)
    shares = np.empty_like(terms.weights)
    usual, unusual = np.flatnonzero(~large), np.flatnonzero(large)
    shares[:, usual] = _in_pieces(key, terms.part(usual))
    shares[:, unusual] = key.share(terms.part(unusual).unbounded()).astype(np.int64)
    return shares


def _in_pieces(key: Key, terms: SharingTerms) -> Energy:
    count, length = terms.weights.shape
    shares = np.empty_like(terms.weights)
    step = max(1, _CELLS_AT_ONCE // max(count, 1))
    for start in range(0, length, step):
        section = slice(start, start + step)
        shares[:, section] = key.share(terms.part(section))
    return shares
