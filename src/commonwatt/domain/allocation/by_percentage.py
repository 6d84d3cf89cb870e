"""Keys of fixed percentages and of equal parts."""

import numpy as np

from commonwatt.domain.allocation.by_consumption import within_pool
from commonwatt.domain.allocation.terms import SharingTerms
from commonwatt.domain.metering.load_profile import Energy


def fixed(terms: SharingTerms) -> Energy:
    """Give each its percentage of what is available, at most what it used; no more to anybody.

    Available were 100 Wh, 60 of which were used here and 40 exported. A, entitled to 50 %, used
    20 Wh; B, entitled to 30 %, used 40 Wh. What A cannot use of its 50 Wh, B does not get: 10 Wh of
    the pool are nobody's. Where entitlements exceed the pool, it is shared in proportion to them.

    >>> from dataclasses import replace
    >>> from commonwatt.domain.allocation import Percentages
    >>> terms = replace(
    ...     SharingTerms.alike(np.array([60]), np.array([[20], [40]]), 0),
    ...     available=np.array([100]),
    ...     percentages=Percentages.exactly([50, 30]),
    ... )
    >>> fixed(terms)[:, 0].tolist()
    [20, 30]
    """
    entitled = terms.available * terms.percentages.parts[:, None]
    usable = np.minimum(terms.weights * terms.percentages.hundred, entitled)
    return within_pool(terms, terms.whole_wh(usable, terms.percentages, step=1))


def fixed_redistributed(terms: SharingTerms) -> Energy:
    """Share by percentages; what one cannot use goes to the others, by their percentages.

    A pool of 60 Wh: A, entitled to 50 %, used 20 Wh; B, entitled to 30 %, 100 Wh, and C, to 20 %,
    100 Wh. A would get 30 Wh; the 10 it cannot use go to B and C, 3 to 2: 24 and 16 Wh. Sums to the
    pool unless those who have a percentage cannot use it.

    >>> from dataclasses import replace
    >>> from commonwatt.domain.allocation import Percentages
    >>> terms = replace(
    ...     SharingTerms.alike(np.array([60]), np.array([[20], [100], [100]]), 0),
    ...     percentages=Percentages.exactly([50, 30, 20]),
    ... )
    >>> fixed_redistributed(terms)[:, 0].tolist()
    [20, 24, 16]
    """
    return _filled(terms, terms.percentages.parts)


def equal(terms: SharingTerms) -> Energy:
    """Give all the same; what one cannot use goes to the others, in equal parts.

    Of 60 Wh, three consumers would get 20 each. The first used 8 Wh, the others get 26 each.

    >>> terms = SharingTerms.alike(np.array([60]), np.array([[8], [40], [50]]), 0)
    >>> equal(terms)[:, 0].tolist()
    [8, 26, 26]
    """
    return _filled(terms, np.ones(len(terms.weights), np.int64))


def _filled(terms: SharingTerms, parts: Energy) -> Energy:
    """Fill vessels of different widths (``parts``) to one level; ``weights`` are what they hold.

    A round finds the vessels that are full at the level at which the rest of the pool would stand
    over all that are open. What they do not take raises it, so they stay full; the last round finds
    none, and the others stand at the level. Vessels that hold nothing, of members that are not
    alive among others, are none: so only who is there counts towards 100 %.
    """
    weights, left = terms.weights, terms.pool
    widths = np.where(weights > 0, parts[:, None], 0).astype(weights.dtype)
    width = widths.sum(axis=0)
    taken = np.zeros_like(weights)
    while True:
        full = (widths > 0) & (weights * width <= widths * left)
        if not full.any():
            return taken + terms.parts(widths, left, width, step=0)
        filled = np.where(full, weights, 0)
        taken += filled
        left = left - filled.sum(axis=0)
        widths = np.where(full, 0, widths)
        width = widths.sum(axis=0)
