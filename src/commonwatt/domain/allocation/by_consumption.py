"""Keys that follow consumption: pro rata, and pro rata within levels of priority."""

from collections.abc import Sequence

import numpy as np

from commonwatt.domain.allocation.terms import SharingTerms
from commonwatt.domain.metering.load_profile import Energy


def in_proportion(
    terms: SharingTerms,
    pool: Energy,
    weights: Energy,
    step: int = 0,
    consumers: Sequence[int] | None = None,
) -> Energy:
    """Share a pool in proportion to weights, at most these; see `SharingTerms.parts`."""
    whole = weights.sum(axis=0)
    return terms.parts(weights, np.minimum(pool, whole), whole, step, consumers)


def within_pool(terms: SharingTerms, claims: Energy) -> Energy:
    """Return claims [Wh] as they are, those of more than the pool in proportion to them."""
    if (claims.sum(axis=0) <= terms.pool).all():
        return claims
    return in_proportion(terms, terms.pool, claims)


def taking_part(terms: SharingTerms) -> Energy:
    """Return the consumption that takes part [Wh]: a percentage of each consumer's, in whole Wh."""
    percentages = terms.percentages
    if (percentages.parts == percentages.hundred).all():
        return terms.weights
    return terms.whole_wh(terms.weights * percentages.parts[:, None], percentages, step=1)


def pro_rata(terms: SharingTerms) -> Energy:
    """Share in proportion to the consumption w_i that takes part, the sum of which is W.

    share_i = floor(F_i + u) - floor(F_(i-1) + u) with F_i = pool (w_1 + ... + w_i) / W, consumers
    in ascending order of meter id. So the shares of a quarter-hour sum to its pool: the first floor
    of all is 0, the last the pool, as u < 1, and those between cancel out. Each is less than a Wh
    from its quota, since floors of numbers that differ by it do. None is outside 0..w_i, which are
    whole and between which the quota lies. u, spread evenly over the quarter-hours, favours nobody
    over time.

    A heat pump of which half the consumption takes part counts for 15 of its 30 Wh, beside a flat
    of 45 Wh; of a pool of 40 Wh it gets a quarter. Sums to the pool, or to what takes part.

    >>> from dataclasses import replace
    >>> from commonwatt.domain.allocation import Percentages
    >>> terms = SharingTerms.alike(np.array([40]), np.array([[45], [30]]), 1)
    >>> pro_rata(terms)[:, 0].tolist()
    [24, 16]
    >>> half = replace(terms, percentages=Percentages.exactly([100, 50]))
    >>> pro_rata(half)[:, 0].tolist()
    [30, 10]
    """
    return in_proportion(terms, terms.pool, taking_part(terms))


def priority(terms: SharingTerms) -> Energy:
    """Serve the consumers level by level, the smallest priority first, pro rata within a level.

    Two flats (priority 0) used 20 and 10 Wh, a charge point (1) 30 Wh. Of 40 Wh it gets what the
    flats leave; 20 Wh are all the flats'.

    >>> from dataclasses import replace
    >>> used = np.array([[20, 20], [10, 10], [30, 30]])
    >>> terms = SharingTerms.alike(np.array([40, 20]), used, 0)
    >>> priority(replace(terms, priorities=[0, 0, 1])).T.tolist()
    [[20, 10, 10], [13, 7, 0]]
    """
    wanted, left = taking_part(terms), terms.pool
    shares = np.zeros_like(wanted)
    for level in sorted(set(terms.priorities)):
        rows = [row for row, each in enumerate(terms.priorities) if each == level]
        shares[rows] = in_proportion(terms, left, wanted[rows], consumers=rows)
        left = left - shares[rows].sum(axis=0)
    return shares
