"""Keys that follow who produced the energy."""

import numpy as np

from commonwatt.domain.allocation.by_consumption import in_proportion, taking_part, within_pool
from commonwatt.domain.allocation.terms import SharingTerms
from commonwatt.domain.metering.load_profile import Energy


def parts_of_producers(terms: SharingTerms) -> Energy:
    """Cut the pool into the parts of the producers [Wh], in proportion to what each delivered.

    None has more than it delivered. What is left of the pool came from elsewhere (a battery, or a
    producer whose meter is missing) and is nobody's own.
    """
    return in_proportion(terms, terms.pool, terms.produced, step=2, consumers=())


def own_first(terms: SharingTerms) -> Energy:
    """Serve each consumer from the producers that it names, then all from the rest, pro rata.

    Producer by producer, its part of the pool goes to those who name it, in proportion to what they
    still need; then what is left of the pool to all. A names the only producer, which delivered
    50 Wh; a battery brought the pool to 60 Wh. A used 40, B 30 Wh.

    >>> from dataclasses import replace
    >>> terms = replace(
    ...     SharingTerms.alike(np.array([60]), np.array([[40], [30]]), 0),
    ...     produced=np.array([[50]]),
    ...     named=np.array([[True, False]]),
    ... )
    >>> own_first(terms)[:, 0].tolist()
    [40, 20]
    """
    wanted = taking_part(terms)
    shares = np.zeros_like(wanted)
    for part, named in zip(parts_of_producers(terms), terms.named, strict=True):
        rows = np.flatnonzero(named)
        needed = wanted[rows] - shares[rows]
        shares[rows] += in_proportion(terms, part, needed, step=3, consumers=rows.tolist())
    return _with_rest(terms, wanted, shares)


def matrix(terms: SharingTerms) -> Energy:
    """Give each consumer its percentages of each producer's part; the rest goes to all, pro rata.

    Of the part of each producer a consumer is entitled to a percentage. What it cannot use, what
    nobody is entitled to and what no producer delivered goes to all that still need energy, in
    proportion to what they need. A pool of 100 Wh, delivered by one producer: A, entitled to 70 %,
    used 50 Wh; B, to 20 %, 40 Wh; C, to nothing, 60 Wh. A takes 50, B 20, and the 30 Wh that are
    left go to B and C, who need 20 and 60 Wh.

    >>> from dataclasses import replace
    >>> from commonwatt.domain.allocation import Percentages
    >>> terms = replace(
    ...     SharingTerms.alike(np.array([100]), np.array([[50], [40], [60]]), 0),
    ...     produced=np.array([[100]]),
    ...     entitled=Percentages(np.array([[7, 2, 0]]), 10),
    ... )
    >>> matrix(terms)[:, 0].tolist()
    [50, 27, 23]
    """
    entitled = terms.entitled.parts.T @ parts_of_producers(terms)
    usable = np.minimum(terms.weights * terms.entitled.hundred, entitled)
    claims = terms.whole_wh(usable, terms.entitled, step=3)
    return _with_rest(terms, terms.weights, within_pool(terms, claims))


def _with_rest(terms: SharingTerms, wanted: Energy, shares: Energy) -> Energy:
    """Add what is left of the pool to the shares, in proportion to what is still wanted."""
    left = terms.pool - shares.sum(axis=0)
    return shares + in_proportion(terms, left, wanted - shares)
