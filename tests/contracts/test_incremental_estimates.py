"""Gaps that are settled step by step are estimated as if all had been known at once."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.declaring.apply import apply_declaration
from commonwatt.app.declaring.declaration import MeterDeclaration, SiteDeclaration
from commonwatt.app.readings.deliveries import withdraw_delivery
from commonwatt.app.settling.settle_site import settle_days, settle_site
from commonwatt.domain.metering.catalogue import Group, Medium, Mode, SiteCatalogue
from commonwatt.domain.metering.quality import Method
from tests.contracts.stored_results import (
    add_building,
    deliver,
    known_results,
    settle_everything,
)
from tests.depth import examples
from tests.oracle import facts as oracle

DAY_S = 86_400
FIRST_DAY = 19_076
BUILDING = oracle.Building((oracle.Meter("a" * 24), oracle.Meter("b" * 24)))
NOW_US = (FIRST_DAY + 900) * DAY_S * 1_000_000


@dataclass(frozen=True)
class Said:
    """A day of quarter-hourly readings of a meter, read in a hurry (``step_s``) or with errors."""

    meter: int
    day: int
    quality: oracle.ReadingQuality = "measured"
    raised_mwh: int = 0
    withdrawn: bool = False
    step_s: int = 900

    def rows(self) -> tuple[oracle.Row, ...]:
        start_at = (FIRST_DAY + self.day) * DAY_S
        return tuple(
            oracle.Row(at, {"en_im": _index(at) + self.raised_mwh}, self.quality)
            for at in range(start_at, start_at + DAY_S, self.step_s)
        )


def _index(at: int) -> int:
    """A register that counts more by day than by night, and most on day 3."""
    days, second = divmod(at - FIRST_DAY * DAY_S, DAY_S)
    by_day = max(0, min(second, 64_800) - 25_200) * (3 if days == 3 else 1)
    return days * 60_000_000 + second * 200 + by_day * 300


def tell(store: SqlStore, catalogue: SiteCatalogue, said: Said, at_us: int) -> None:
    number = catalogue.site.number
    meter = next(each for each in catalogue.meters if each.number == said.meter)
    delivery = deliver(store, number, meter, said.rows(), at_us).delivery
    if said.withdrawn and delivery is not None:
        withdraw_delivery(store, number, delivery, "wrong", "me", at_us)


def assert_order_does_not_matter(store: SqlStore, told: Sequence[Said]) -> None:
    stepwise, at_once = (add_building(store, BUILDING) for _ in range(2))
    for position, said in enumerate(told):
        for catalogue in (stepwise, at_once):
            tell(store, catalogue, said, NOW_US + position * 1_000_000)
        settle_everything(store, stepwise.site.number)
    settle_everything(store, at_once.site.number)
    left, right = (known_results(store, each.site.number) for each in (stepwise, at_once))
    assert left == right


def methods(store: SqlStore, catalogue: SiteCatalogue, day: int) -> set[int]:
    with store.snapshot() as snapshot:
        days = FIRST_DAY + day, FIRST_DAY + day + 1
        return set(snapshot.results.methods(catalogue.site.number, 1, *days).tolist())


AROUND_A_GAP = [Said(1, day) for day in (0, 1, 4, 5, 6)]
STORIES = {
    "reference days after the gap come day by day": AROUND_A_GAP,
    "reference days before the gap come last": AROUND_A_GAP[::-1],
    "the gap is closed from within": [*AROUND_A_GAP, Said(1, 3), Said(1, 2)],
    "a reference day far from the gap is corrected": [
        *AROUND_A_GAP,
        Said(1, 6, raised_mwh=3_000_000),
    ],
    "a reference day turns out to be estimated": [
        Said(1, 0, "estimated"),
        *AROUND_A_GAP[1:],
        Said(1, 0),
    ],
    "a reference day is withdrawn": [*AROUND_A_GAP, Said(1, 7, withdrawn=True)],
    "the reference days come before what bounds the gap": [
        Said(1, 0),
        Said(1, 6),
        Said(1, 1),
        Said(1, 4),
    ],
    "reference days 35 days after a gap of weeks": [
        Said(1, day) for day in (0, 1, 30, 31, 66, 67, 65)
    ],
    "two gaps share their reference days": [Said(1, day) for day in (0, 2, 5, 1, 6)],
    "another meter has no part in it": [*AROUND_A_GAP, Said(2, 3), Said(2, 6)],
    "read only once a day": [Said(1, day, step_s=DAY_S) for day in (0, 3, 1, 2, 5)],
}


@pytest.mark.parametrize("story", STORIES)
def test_a_gap_settled_step_by_step_equals_at_once(store: SqlStore, story: str) -> None:
    assert_order_does_not_matter(store, STORIES[story])


@st.composite
def tellings(draw: st.DrawFn) -> list[Said]:
    """Draw days of readings with holes between them, told in any order, some twice."""
    days = draw(st.lists(st.integers(0, 12) | st.sampled_from((40, 47, 50)), max_size=8))
    told = [
        Said(
            meter=draw(st.sampled_from((1, 1, 2))),
            day=day,
            quality=draw(st.sampled_from(("measured", "measured", "estimated"))),
            raised_mwh=draw(st.sampled_from((0, 0, 5_000_000))),
            withdrawn=draw(st.sampled_from((False, False, True))),
            step_s=draw(st.sampled_from((900, 900, 1_200, 43_200))),
        )
        for day in days
    ]
    return draw(st.permutations(told))


@examples(few=5, many=100)
@given(told=tellings())
def test_days_told_in_any_order_equal_all_at_once(store: SqlStore, told: list[Said]) -> None:
    note(str(told))
    assert_order_does_not_matter(store, told)


def test_a_gap_longer_than_a_run_of_days_is_one_estimate(store: SqlStore) -> None:
    told = [Said(1, day) for day in (0, 1, 2, 102, 103)]
    catalogue, scattered = (add_building(store, BUILDING) for _ in range(2))
    for position, said in enumerate(told):
        for each in (catalogue, scattered):
            tell(store, each, said, NOW_US + position)
    settle_everything(store, catalogue.site.number)
    days = list(range(FIRST_DAY - 1, FIRST_DAY + 105))
    random.Random(5).shuffle(days)
    for day in days:
        settle_site(store, scattered.site.number, Group.ELECTRICITY, day, day + 1)
    settle_everything(store, scattered.site.number)
    left, right = (known_results(store, each.site.number) for each in (catalogue, scattered))
    assert left == right
    assert methods(store, catalogue, 50) == {Method.SHAPE}


@pytest.mark.both_engines
def test_an_estimate_that_a_change_overtook_is_not_stored(store: SqlStore) -> None:
    catalogue, at_once = (add_building(store, BUILDING) for _ in range(2))
    site = catalogue.site.number
    late = Said(1, 6)
    for said in AROUND_A_GAP[:-1]:
        tell(store, catalogue, said, NOW_US)
    gap = FIRST_DAY + 2, FIRST_DAY + 4
    with store.snapshot() as snapshot:
        generation = snapshot.catalogue.generation(site)
        known = snapshot.catalogue.catalogue(site)
        under_way = settle_days(snapshot, known, Group.ELECTRICITY, *gap)
    tell(store, catalogue, late, NOW_US)
    with store.change(site) as change:
        change.results.put_settlement(site, Group.ELECTRICITY, [1, 2], under_way, generation)
    with store.snapshot() as snapshot:
        dirty = snapshot.results.dirty_days(site, Group.ELECTRICITY, *gap)
    assert dirty == list(range(*gap))
    settle_everything(store, site)
    for said in AROUND_A_GAP:
        tell(store, at_once, said, NOW_US)
    settle_everything(store, at_once.site.number)
    assert known_results(store, site) == known_results(store, at_once.site.number)


@pytest.mark.both_engines
def test_the_spans_of_gaps_that_are_closed_go(store: SqlStore) -> None:
    catalogue = add_building(store, BUILDING)
    site = catalogue.site.number
    for said in AROUND_A_GAP:
        tell(store, catalogue, said, NOW_US)
    settle_everything(store, site)
    everything = FIRST_DAY - 100, FIRST_DAY + 100
    with store.snapshot() as snapshot:
        (span,) = snapshot.results.estimated_spans(site, *everything)
    assert (span.meter, span.first_day, span.end_day) == (1, FIRST_DAY + 1, FIRST_DAY + 4)
    for day in (2, 3):
        tell(store, catalogue, Said(1, day), NOW_US)
    settle_everything(store, site)
    with store.snapshot() as snapshot:
        assert snapshot.results.estimated_spans(site, *everything) == []


@pytest.mark.parametrize("factor_from_day", [1, 5])
def test_a_factor_that_changes_among_the_reference_days_changes_the_gap(
    store: SqlStore, factor_from_day: int
) -> None:
    catalogue, at_once = (add_building(store, BUILDING) for _ in range(2))
    for said in AROUND_A_GAP:
        tell(store, catalogue, said, NOW_US)
    settle_everything(store, catalogue.site.number)
    for each in (catalogue, at_once):
        _change_factor(store, each, (FIRST_DAY + factor_from_day) * DAY_S)
    for said in AROUND_A_GAP:
        tell(store, at_once, said, NOW_US)
    for each in (catalogue, at_once):
        settle_everything(store, each.site.number)
    left, right = (known_results(store, each.site.number) for each in (catalogue, at_once))
    assert left == right


def _change_factor(store: SqlStore, catalogue: SiteCatalogue, from_at: int) -> None:
    meter = catalogue.meters[0]
    declaration = SiteDeclaration(
        line=1,
        id=catalogue.site.id,
        name=catalogue.site.name,
        timezone=catalogue.site.timezone,
        valid_from=from_at,
        meters=(
            MeterDeclaration(
                line=2,
                id=meter.id,
                name=meter.name,
                medium=Medium.ELECTRICITY,
                mode=Mode.CONSUMPTION,
                factor=Decimal(40),
                valid_from=from_at,
            ),
        ),
    )
    apply_declaration(store, declaration, "tester", NOW_US // 1_000_000)
