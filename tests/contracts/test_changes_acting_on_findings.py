"""Findings and rollovers after a change of what is declared are those of settling from scratch."""

from decimal import Decimal

import pytest

from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.declaring.apply import Applied, apply_declaration
from commonwatt.domain.metering.catalogue import Group, SiteCatalogue
from commonwatt.formats.declaration.yaml import declaration_from_yaml
from tests.contracts.stored_results import Rows, deliver, settle_everything, stored_results
from tests.oracle import facts as oracle

DAY = 20_589  # 2026-05-16
START = DAY * 86_400
NOW = START + 40 * 86_400
SITE = "site: {site_ref: A, name: House, timezone: Europe/Zurich%s}\nmeters:\n"
GRID = "  - {name: Grid, type: electricity, mode: introduction, prim_ad: 10%s}\n"
PV = "  - {name: PV, type: electricity, mode: %s, prim_ad: 11%s}\n"
FLAT = "  - {name: Flat, type: electricity, mode: consumption, prim_ad: 12%s}\n"
FROM_THIRD_DAY = ", valid_from: 2026-05-18T00:00:00Z"


def declare(store: SqlStore, text: str) -> Applied:
    return apply_declaration(store, declaration_from_yaml(text.encode()), "tester", NOW)


def catalogue(store: SqlStore) -> SiteCatalogue:
    with store.snapshot() as snapshot:
        return snapshot.catalogue.catalogue(1)


def read_on(store: SqlStore, prim_ad: int, step_wh: int, register: str = "en_im") -> None:
    """Deliver an index of each quarter-hour of five days."""
    rows = tuple(
        oracle.Row(START + 900 * count, {register: (1000 + step_wh * count) * 1000})
        for count in range(5 * 96 + 1)
    )
    meter = catalogue(store).meter_by_address["electricity", prim_ad]
    deliver(store, 1, meter, rows, NOW * 1_000_000)


def settled(store: SqlStore) -> dict[str, Rows]:
    """What is stored, which is what settling from scratch stores."""
    settle_everything(store, 1)
    stepwise = stored_results(store, 1)
    with store.change(1) as change:
        generation = change.catalogue.next_generation(1)
        days = change.results.settled_days(1, Group.ELECTRICITY, DAY - 400, DAY + 400)
        spans = [(day, day + 1) for day in days]
        change.results.mark_dirty(1, Group.ELECTRICITY, spans, generation)
    settle_everything(store, 1)
    assert stored_results(store, 1) == stepwise
    return stepwise


def days_of(found: dict[str, Rows], rule: str) -> list[int]:
    """The days, from the first one on, that have a finding of a rule."""
    return [int(str(row[1])) - DAY for row in found["findings"] if row[3] == rule]


def test_another_latitude_doubts_other_days(store: SqlStore) -> None:
    declare(store, SITE % "" + PV % ("production", ""))
    read_on(store, 11, 0, "en_ex")
    assert days_of(settled(store), "frozen-register") == [0, 1, 2, 3, 4]
    applied = declare(store, SITE % ", latitude: -33" + PV % ("production", ""))
    assert [each.group for each in applied.recomputed] == [Group.ELECTRICITY]
    assert days_of(settled(store), "frozen-register") == []


def test_a_battery_explains_a_still_grid_from_its_day_on(store: SqlStore) -> None:
    declare(store, SITE % "" + GRID % "" + PV % ("consumption", ""))
    read_on(store, 10, 0)
    read_on(store, 11, 5)
    assert days_of(settled(store), "frozen-register") == [0, 1, 2, 3, 4]
    declare(store, SITE % "" + GRID % "" + PV % ("battery", FROM_THIRD_DAY))
    assert days_of(settled(store), "frozen-register") == [0, 1]
    # One of which nobody knows anything yet explains nothing.
    declare(store, SITE % "" + "  - {name: New, type: electricity, mode: battery, prim_ad: 13}\n")
    assert days_of(settled(store), "frozen-register") == [0, 1]


@pytest.mark.both_engines
def test_a_meter_is_checked_by_the_register_that_was_its_total(store: SqlStore) -> None:
    hourly = ", interval: PT15M, register_meter: prim_ad:12"
    declare(store, SITE % "" + PV % ("consumption", hourly) + FLAT % "")
    meter = catalogue(store).meter_by_address["electricity", 11]
    rows = tuple(oracle.Row(START + 900 * n, {"en_im": 9_000}) for n in range(1, 5 * 96 + 1))
    deliver(store, 1, meter, rows, NOW * 1_000_000)
    read_on(store, 12, 5)
    assert days_of(settled(store), "interval-register-mismatch") == [0, 1, 2, 3, 4]
    declare(store, SITE % "" + PV % ("production", FROM_THIRD_DAY))
    assert days_of(settled(store), "interval-register-mismatch") == [0, 1]


def test_consumers_that_come_later_explain_nothing_before(store: SqlStore) -> None:
    declare(store, SITE % "" + GRID % "" + PV % ("production", "") + FLAT % ", balance: false")
    read_on(store, 10, 500)
    read_on(store, 11, 90, "en_ex")
    read_on(store, 12, 5)
    assert days_of(settled(store), "site-sum") == []
    declare(store, SITE % "" + FLAT % (", balance: true" + FROM_THIRD_DAY))
    assert days_of(settled(store), "site-sum") == [2, 3, 4]


@pytest.mark.parametrize("factor", [Decimal(1), Decimal("0.5")])
def test_a_higher_limit_tells_rollovers_from_its_instant_on(
    store: SqlStore, factor: Decimal
) -> None:
    limited = f", max_per_hour: 1, factor: {factor}"
    declare(store, SITE % "" + FLAT % limited + PV % ("consumption", limited))
    kwh, size = 10**6, 10**10
    for prim_ad, rolls_at in ((11, 3), (12, 12)):
        # 400 kWh in the six hours across: more than a kWh an hour, less than 100.
        indexes = [size - (150 - n) * kwh if n < rolls_at else (250 + n) * kwh for n in range(17)]
        rows = tuple(
            oracle.Row(START + 21_600 * n + 3600, {"en_im": index})
            for n, index in enumerate(indexes)
        )
        meter = catalogue(store).meter_by_address["electricity", prim_ad]
        deliver(store, 1, meter, rows, NOW * 1_000_000)
    assert days_of(settled(store), "rollover") == []
    higher = ", max_per_hour: 100" + FROM_THIRD_DAY
    declare(store, SITE % "" + FLAT % higher + PV % ("consumption", higher))
    assert days_of(settled(store), "rollover") == [3]
