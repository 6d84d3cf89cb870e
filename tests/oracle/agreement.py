"""Compares what the product settled with what the oracle says, quarter-hour by quarter-hour."""

from collections.abc import Callable, Iterable, Mapping
from typing import get_args

from commonwatt.domain.metering.catalogue import Group, Medium, Meter, SiteCatalogue
from commonwatt.domain.metering.findings import Finding as ProductFinding
from commonwatt.domain.metering.findings import FindingRule
from commonwatt.domain.metering.load_profile import LoadProfile, SiteBalance
from commonwatt.domain.settlement import Settlement
from tests.oracle.balance import Columns, SiteQuarter
from tests.oracle.facts import (
    ABSENT,
    ESTIMATED,
    Building,
    Finding,
    MeterQuarter,
    RegisterQuarter,
    Rule,
)
from tests.oracle.index_profile import SLOW_MEDIA
from tests.oracle.pipeline import Settled

COLUMNS: Mapping[str, Callable[[Columns], int]] = {
    "conso_total": lambda c: c.conso_total,
    "prod_total": lambda c: c.prod_total,
    "from_ext": lambda c: c.from_ext,
    "to_ext": lambda c: c.to_ext,
    "self_energy": lambda c: c.self_wh,
    "storage_charging": lambda c: c.storage_charging_total,
    "storage_discharging": lambda c: c.storage_discharging_total,
    "storage_charging_self": lambda c: c.storage_charging_self,
    "unmetered": lambda c: c.unmetered,
}

JUDGED: frozenset[str] = frozenset(get_args(Rule))
"""Other rules doubt, and change no number."""


def assert_same(what: str, expected: Iterable[object], answered: Iterable[object]) -> None:
    """Both columns are equal; else the first differing positions are shown."""
    pairs = enumerate(zip(expected, answered, strict=True))
    differing = [f"{at}: {left} != {right}" for at, (left, right) in pairs if left != right]
    assert not differing, f"{what}, oracle != product: {len(differing)} of {differing[:4]}"


def assert_agree(
    building: Building,
    expected: Settled,
    catalogue: SiteCatalogue,
    settlements: Mapping[Group, Settlement],
) -> None:
    """Profiles, shares, balances and findings of a building are the same on both sides."""
    profiles = {p.meter: p for s in settlements.values() for p in s.profiles}
    for meter in catalogue.meters:
        quarters = list(expected.meters[meter.id].values())
        assert_profile_agrees(building, meter, expected, quarters, profiles.get(meter.number))
    electricity = settlements[Group.ELECTRICITY].balances
    site = list(expected.site.values())
    assert_site_agrees(site, electricity.get(Medium.ELECTRICITY))
    charge_points = [q.charge_point for q in site]
    _assert_total("charge points", charge_points, electricity.get(Medium.CHARGE_POINT))
    for medium in SLOW_MEDIA:
        totals = [quarter.conso_total for quarter in expected.totals[medium].values()]
        _assert_total(medium, totals, settlements[Group(medium)].balances.get(Medium(medium)))
    found = [finding for s in settlements.values() for finding in s.findings]
    assert_same_findings(expected.findings, catalogue, found)


def assert_profile_agrees(
    building: Building,
    meter: Meter,
    expected: Settled,
    quarters: list[MeterQuarter],
    profile: LoadProfile | None,
) -> None:
    """Both registers, their quality, and the share of the site's own energy with its quality."""
    name = f"{meter.medium} meter {meter.number}"
    if profile is None:
        assert not any(quarter.alive for quarter in quarters), f"{name} is left out"
        return
    zeros = [0] * len(quarters)
    for side, energy in (("im", profile.im), ("ex", profile.ex)):
        parts = [quarter.im if side == "im" else quarter.ex for quarter in quarters]
        answered = zeros if energy is None else energy.tolist()
        assert_same(f"{side} of {name}", [_energy(part) for part in parts], answered)
    declared = building.meter(meter.id)
    facts = [declared.facts_at(900 * number) for number in expected.site]
    mains = [q.side(f.main_side) for f, q in zip(facts, quarters, strict=True)]
    totals = [part.quality if part else ABSENT for part in mains]
    assert_same(f"quality of {name}", totals, profile.quality_total.tolist())
    site = list(expected.site.values())
    answered = zeros if profile.self_energy is None else profile.self_energy.tolist()
    assert_same(f"self of {name}", [q.self_of.get(meter.id, 0) for q in site], answered)
    shared = [q.quality if meter.id in q.self_of else None for q in site]
    answered = zeros if profile.quality_self is None else profile.quality_self.tolist()
    existing = [quality if quality >= ESTIMATED else None for quality in answered]
    assert_same(f"quality of self of {name}", shared, existing)


def _energy(part: RegisterQuarter | None) -> int:
    return 0 if part is None or part.energy_wh is None else part.energy_wh


def assert_site_agrees(site: list[SiteQuarter], balance: SiteBalance | None) -> None:
    """Every column of the electricity balance where it exists, and where it exists."""
    if balance is None:
        assert all(quarter.columns is None for quarter in site), "the balance is left out"
        return
    assert_same("site quality", [q.quality for q in site], balance.quality.tolist())
    for column, expected in COLUMNS.items():
        answered = getattr(balance, column).tolist()
        rows = [
            (expected(quarter.columns), answer)
            for quarter, answer in zip(site, answered, strict=True)
            if quarter.columns is not None
        ]
        assert_same(f"site {column}", [e for e, _ in rows], [a for _, a in rows])
    allocated = [sum(quarter.self_of.values()) for quarter in site]
    assert_same("allocated", allocated, balance.allocated.tolist())


def _assert_total(what: str, totals: list[int | None], balance: SiteBalance | None) -> None:
    if balance is None:
        assert all(total is None for total in totals), f"{what} are left out"
        return
    columns = zip(balance.conso_total.tolist(), balance.quality.tolist(), strict=True)
    answered = [energy if quality >= ESTIMATED else None for energy, quality in columns]
    assert_same(f"total of {what}", totals, answered)


def assert_same_findings(
    expected: Iterable[Finding], catalogue: SiteCatalogue, found: Iterable[ProductFinding]
) -> None:
    """The same readings are set aside for the same reason, the same breaks and overflows found."""
    numbers = {meter.id: meter.number for meter in catalogue.meters}
    large = FindingRule.QUARTER_TOO_LARGE
    ours = {
        (numbers[f.meter_id], f.rule, "" if f.rule == large else f.register, f.at) for f in expected
    }
    theirs = {
        (f.meter, f.rule.value, "" if f.rule is large else f.register, f.belongs_at)
        for f in found
        if f.rule.value in JUDGED
    }
    assert sorted(ours - theirs) == [], "findings that only the oracle has"
    assert sorted(theirs - ours) == [], "findings that only the product has"
