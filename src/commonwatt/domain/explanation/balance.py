"""The balance of one quarter-hour, and how a consumer's share of the site's own energy was cut."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from commonwatt.domain.allocation import KEYS, Rounding, share_out
from commonwatt.domain.balance.balance import Balance, MeasuredFlows, compute_balance
from commonwatt.domain.balance.group_balance import sharing_terms
from commonwatt.domain.balance.members import Member, measured_flows, members_of
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
class QuarterBalance:
    """The balance of a quarter-hour: what was measured, what follows, and who is missing.

    ``computed``, and ``balance`` as it is stored, are None where a member is missing; ``missing``
    are meters by number with the register that nothing is known of. ``is_consumer``: the meter has
    a share in such a balance.
    """

    facts: SiteFacts
    flows: MeasuredFlows
    quality: Quality
    computed: Balance | None
    balance: SiteBalance | None
    missing: tuple[tuple[int, Register], ...]
    is_consumer: bool
    share: SharedOut | None


def quarter_balance(
    catalogue: SiteCatalogue, meter: Meter, energies: Mapping[int, MeterEnergy], quarter: int
) -> QuarterBalance:
    """Compute the balance of electricity of one quarter-hour, as settling does.

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
    measured = QuarterBalance(
        facts=facts,
        flows=flows,
        quality=quality,
        computed=None,
        balance=None,
        missing=missing,
        is_consumer=any(each.number == meter.number for each in consumers),
        share=None,
    )
    if not exists(flows.quality)[0]:
        return measured
    computed = compute_balance(flows, facts.balance, facts.battery)
    roundings: list[Rounding] = []
    key = KEYS[facts.key]
    terms = sharing_terms(catalogue, key, quarter, computed.pool, computed.available, by_mode)
    shares = share_out(key, replace(terms, roundings=roundings))
    return replace(
        measured,
        computed=computed,
        balance=_as_stored(flows, computed, shares),
        share=_shared_out(meter, consumers, computed, shares, roundings),
    )


def _as_stored(flows: MeasuredFlows, computed: Balance, shares: Energy) -> SiteBalance:
    return SiteBalance(
        conso_total=computed.conso_total,
        from_ext=computed.from_ext,
        self_energy=computed.self_energy,
        to_ext=computed.to_ext,
        storage_charging=flows.charging,
        storage_discharging=flows.discharging,
        storage_charging_self=computed.storage_charging_self,
        allocated=shares.sum(axis=0),
        unmetered=computed.unmetered,
        quality=flows.quality,
    )


def _shared_out(
    meter: Meter,
    consumers: list[Member],
    computed: Balance,
    shares: Energy,
    roundings: list[Rounding],
) -> SharedOut | None:
    position = next((at for at, each in enumerate(consumers) if each.number == meter.number), None)
    if position is None or not consumers[position].energy.alive[0]:
        return None
    return SharedOut(
        pool=int(computed.pool[0]),
        available=int(computed.available[0]),
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
