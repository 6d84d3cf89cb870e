"""Proxy days: what a silent meter is given while others speak, until its own reading comes."""

from dataclasses import replace

import pytest

from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.domain.metering.catalogue import SiteCatalogue
from commonwatt.domain.metering.quality import Method, Quality
from tests.contracts.stored_results import add_building, deliver, settle_everything, stored_results
from tests.oracle import facts as oracle

DAY_S = 86_400
FIRST_DAY = 19_079
"""A Monday."""
NOW_US = (FIRST_DAY + 900) * DAY_S * 1_000_000
INDEXES = oracle.Building((oracle.Meter("a" * 24), oracle.Meter("b" * 24)))
INTERVALS = oracle.Building((oracle.Meter("a" * 24, interval_s=900), oracle.Meter("b" * 24)))


def a_site(store: SqlStore, building: oracle.Building, allowed: bool = True) -> SiteCatalogue:
    catalogue = add_building(store, building)
    facts = [replace(each, proxy_days=allowed) for each in catalogue.facts]
    with store.change(catalogue.site.number) as change:
        change.catalogue.next_generation(catalogue.site.number, catalogue_changed_us=1)
        change.catalogue.put_site(catalogue.site, facts)
    with store.snapshot() as snapshot:
        return snapshot.catalogue.catalogue(catalogue.site.number)


def tell(store: SqlStore, catalogue: SiteCatalogue, meter: int, first: int, end: int) -> None:
    """Deliver the days [first, end): 5 Wh in each quarter-hour, on the third day 9 Wh."""
    declared = next(each for each in catalogue.meters if each.number == meter)
    start_at, end_at = (FIRST_DAY + first) * DAY_S, (FIRST_DAY + end) * DAY_S
    if declared.interval_s is None:
        stamps = range(start_at, end_at + 1, 900)
        values = [_index(at) for at in stamps]
    else:
        stamps = range(start_at + 900, end_at + 1, 900)
        values = [_index(at) - _index(at - 900) for at in stamps]
    rows = tuple(oracle.Row(at, {"en_im": value}) for at, value in zip(stamps, values, strict=True))
    deliver(store, catalogue.site.number, declared, rows, NOW_US)


def _index(at: int) -> int:
    quarters = (at - FIRST_DAY * DAY_S) // 900
    return 5_000 * quarters + 4_000 * min(max(quarters - 192, 0), 96)


def day_of(store: SqlStore, catalogue: SiteCatalogue, day: int) -> tuple[list[int], set[int]]:
    """The energy of the first meter's quarter-hours of a day [Wh], and their methods."""
    site, days = catalogue.site.number, (FIRST_DAY + day, FIRST_DAY + day + 1)
    with store.snapshot() as snapshot:
        profile = snapshot.results.profile(site, 1, *days)
        methods = set(snapshot.results.methods(site, 1, *days).tolist())
    if methods == {Method.PROXY}:
        assert set(profile.quality_total.tolist()) == {Quality.ESTIMATED}
    energy = [] if profile.im is None else profile.im.tolist()
    return energy, methods


@pytest.mark.both_engines
@pytest.mark.parametrize("building", [INDEXES, INTERVALS], ids=["index", "interval"])
def test_a_silent_meter_is_given_comparable_days_where_another_speaks(
    store: SqlStore, building: oracle.Building
) -> None:
    catalogue = a_site(store, building)
    tell(store, catalogue, 1, 0, 2)
    tell(store, catalogue, 2, 0, 4)
    settle_everything(store, catalogue.site.number)
    # Wednesday like Monday and Tuesday; on Friday nobody speaks.
    assert day_of(store, catalogue, 2) == ([5] * 96, {Method.PROXY})
    assert day_of(store, catalogue, 4)[1] == {Method.NONE}
    tell(store, catalogue, 1, 2, 3)
    settle_everything(store, catalogue.site.number)
    energy, methods = day_of(store, catalogue, 2)
    assert (energy, methods & {Method.PROXY}) == ([9] * 96, set())
    # Thursday is now like three working days: the mean of 5, 5 and 9 Wh, rounded as it runs.
    energy, methods = day_of(store, catalogue, 3)
    assert methods == {Method.PROXY}
    assert energy[:3] == [6, 7, 6]
    assert sum(energy) == round(96 * 19 / 3)


def test_nothing_is_made_up_where_the_site_does_not_allow_it(store: SqlStore) -> None:
    catalogue = a_site(store, INDEXES, allowed=False)
    tell(store, catalogue, 1, 0, 2)
    tell(store, catalogue, 2, 0, 4)
    settle_everything(store, catalogue.site.number)
    assert day_of(store, catalogue, 2)[1] == {Method.NONE}


def test_a_meter_silent_for_35_days_is_missing(store: SqlStore) -> None:
    catalogue = a_site(store, INDEXES)
    tell(store, catalogue, 1, 0, 2)
    tell(store, catalogue, 2, 0, 39)
    settle_everything(store, catalogue.site.number)
    assert day_of(store, catalogue, 36)[1] == {Method.PROXY}
    assert day_of(store, catalogue, 37)[1] == {Method.NONE}


ORDERS = {
    "the silent meter first": [(1, 0, 2), (2, 0, 45), (1, 2, 3), (1, 4, 5)],
    "the speaking meter first": [(2, 0, 45), (1, 0, 2), (1, 4, 5), (1, 2, 3)],
    "backwards": [(1, 4, 5), (1, 2, 3), (2, 0, 45), (1, 0, 2)],
    "far ahead": [(1, 0, 2), (2, 0, 80), (1, 30, 31), (1, 40, 41)],
    "the speaker bit by bit": [(1, 0, 2), (2, 0, 3), (2, 3, 4), (1, 2, 3), (2, 4, 6)],
}


@pytest.mark.parametrize("building", [INDEXES, INTERVALS], ids=["index", "interval"])
@pytest.mark.parametrize("order", ORDERS)
def test_step_by_step_equals_at_once(
    store: SqlStore, order: str, building: oracle.Building
) -> None:
    stepwise, at_once = a_site(store, building), a_site(store, building)
    for told in ORDERS[order]:
        for catalogue in (stepwise, at_once):
            tell(store, catalogue, *told)
        settle_everything(store, stepwise.site.number)
    settle_everything(store, at_once.site.number)
    left, right = (stored_results(store, each.site.number) for each in (stepwise, at_once))
    assert left == right
