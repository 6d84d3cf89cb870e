"""The books of one quarter-hour, and how a consumer's share of the site's own energy was cut."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from commonwatt.domain.allocation import KEYS, Rounding, share_out
from commonwatt.domain.balance.balance import ClosedBooks, MeasuredFlows, close_books
from commonwatt.domain.balance.members import Member, measured_flows, members_of
from commonwatt.domain.balance.site_books import sharing_terms
from commonwatt.domain.metering.catalogue import (
    Group,
    Meter,
    Mode,
    Register,
    SiteCatalogue,
    SiteFacts,
)
from commonwatt.domain.metering.load_profile import Energy, SiteBalance
from commonwatt.domain.metering.meter_energy import MeterEnergy
from commonwatt.domain.metering.quality import Quality, exists
from commonwatt.domain.metering.quarter_hours import QUARTER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A rounding that gave a consumer ``given`` Wh: floor(after + u) - floor(before + u).

    ``quota`` [Wh] is exact: ``weight`` x ``numerator`` / ``denominator``. ``before`` is the sum of
    the quotas of those before it, ``after`` with its own; u = ``dither`` / 2^32.
    """

    weight: int
    numerator: int
    denominator: int
    before: Fraction
    after: Fraction
    dither: int
    given: int

    @property
    def quota(self) -> Fraction:
        """The exact share of this cut [Wh]."""
        return self.after - self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedOut:
    """How a consumer's share came about: its cuts in order; the last ones make the share."""

    pool: int
    available: int
    used: int
    share: int
    cuts: tuple[Cut, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarterBooks:
    """The balance of a quarter-hour: what was measured, what the books are, and who is missing.

    ``books`` and ``balance``, which is what they are stored as, are None where they cannot be
    closed; ``missing`` are meters by number with the register that nothing is known of.
    ``is_consumer``: the meter has a share in such books.
    """

    facts: SiteFacts
    flows: MeasuredFlows
    quality: Quality
    books: ClosedBooks | None
    balance: SiteBalance | None
    missing: tuple[tuple[int, Register], ...]
    is_consumer: bool
    share: SharedOut | None


def quarter_books(
    catalogue: SiteCatalogue, meter: Meter, energies: Mapping[int, MeterEnergy], quarter: int
) -> QuarterBooks:
    """Close the books of the electricity of one quarter-hour, as settling does.

    ``energies`` are of this quarter-hour alone; the share is that of ``meter``, None where it has
    none.
    """
    start_at = quarter * QUARTER_S
    meters = catalogue.meters_of(Group.ELECTRICITY)
    members = members_of(meters, energies, start_at, slice(0, 1))
    flows, by_mode = measured_flows(members, 1)
    facts = catalogue.site_facts_at(start_at)
    quality = Quality(int(flows.quality[0]))
    missing = tuple((each.number, register) for each in members for register in each.lacks(0))
    consumers = by_mode[Mode.CONSUMPTION]
    measured = QuarterBooks(
        facts=facts,
        flows=flows,
        quality=quality,
        books=None,
        balance=None,
        missing=missing,
        is_consumer=any(each.number == meter.number for each in consumers),
        share=None,
    )
    if not exists(flows.quality)[0]:
        return measured
    books = close_books(flows, facts.balance, facts.battery)
    roundings: list[Rounding] = []
    key = KEYS[facts.key]
    terms = sharing_terms(catalogue, key, quarter, books.pool, books.available, by_mode)
    shares = share_out(key, replace(terms, roundings=roundings))
    return replace(
        measured,
        books=books,
        balance=_as_stored(flows, books, shares),
        share=_shared_out(meter, consumers, books, shares, roundings),
    )


def _as_stored(flows: MeasuredFlows, books: ClosedBooks, shares: Energy) -> SiteBalance:
    return SiteBalance(
        conso_total=books.conso_total,
        from_ext=books.from_ext,
        self_energy=books.self_energy,
        to_ext=books.to_ext,
        storage_charging=flows.charging,
        storage_discharging=flows.discharging,
        storage_charging_self=books.storage_charging_self,
        allocated=shares.sum(axis=0),
        unmetered=books.unmetered,
        quality=flows.quality,
    )


def _shared_out(
    meter: Meter,
    consumers: list[Member],
    books: ClosedBooks,
    shares: Energy,
    roundings: list[Rounding],
) -> SharedOut | None:
    position = next((at for at, each in enumerate(consumers) if each.number == meter.number), None)
    if position is None or not consumers[position].energy.alive[0]:
        return None
    return SharedOut(
        pool=int(books.pool[0]),
        available=int(books.available[0]),
        used=int(consumers[position].total[0]),
        share=int(shares[position, 0]),
        cuts=tuple(
            _cut(rounding, rounding.consumers.index(position))
            for rounding in roundings
            if position in rounding.consumers
        ),
    )


def _cut(rounding: Rounding, row: int) -> Cut:
    weights = [int(weight) for weight in rounding.weights[:, 0]]
    numerator, denominator = int(rounding.numerator[0]), int(rounding.denominator[0])
    each = Fraction(numerator, denominator) if denominator else Fraction(0)
    before = sum(weights[:row]) * each
    return Cut(
        weight=weights[row],
        numerator=numerator,
        denominator=denominator,
        before=before,
        after=before + weights[row] * each,
        dither=int(rounding.start[0]),
        given=int(rounding.parts[row, 0]),
    )
