"""The oracle's own answers, worked out by hand."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.depth import examples
from tests.oracle.allocation import Consumer, Key, Quarter, shares
from tests.oracle.buildings import Plan, building_of, first_day, plans
from tests.oracle.facts import (
    ABSENT,
    ESTIMATED,
    INTERPOLATED,
    MEASURED,
    MISSING,
    Building,
    Delivery,
    Facts,
    Meter,
    Mode,
    Operand,
    RegisterQuarter,
    Resolution,
    Row,
)
from tests.oracle.pipeline import Settled, settle
from tests.oracle.verdicts import kept_positions

DAY_AT = 19_076 * 86_400
"""A midnight in UTC; the stamps below count from it."""
FIRST = DAY_AT // 900
YEARS_LATER_US = (DAY_AT + 10**8) * 1_000_000


def delivery(number: int, indexes: Mapping[int, int], register: str = "en_im") -> Delivery:
    rows = tuple(Row(DAY_AT + at, {register: index}) for at, index in indexes.items())
    return Delivery(number, YEARS_LATER_US, rows)


def meter(
    name: str, indexes: Mapping[int, int], mode: Mode = "consumption", register: str = "en_im"
) -> Meter:
    return Meter(name, facts=(Facts(mode=mode),), deliveries=(delivery(1, indexes, register),))


def settled(*meters: Meter, quarters: int = 4, clamped: bool = False) -> Settled:
    building = Building(meters, ((0, "clamped" if clamped else "plain"),))
    return settle(building, range(FIRST, FIRST + quarters))


def energies(result: Settled, name: str) -> list[int | None]:
    """Wh of the imports of a meter, None where it is missing or not alive."""
    quarters = result.meters[name].values()
    return [quarter.im.energy_wh if quarter.im else None for quarter in quarters]


def qualities(result: Settled, name: str) -> list[int]:
    quarters = result.meters[name].values()
    return [quarter.im.quality if quarter.im else ABSENT for quarter in quarters]


def rules(result: Settled) -> list[tuple[int, str]]:
    return sorted((finding.at - DAY_AT, finding.rule) for finding in result.findings)


def test_indexes_are_rounded_half_up_at_the_boundaries_and_not_the_intervals() -> None:
    # 500 mWh rounds to 1 Wh, 1000 to 1, 1500 to 2: intervals 1, 0, 1 of half a Wh each.
    result = settled(meter("a", {0: 0, 900: 500, 1800: 1000, 2700: 1500}), quarters=3)
    assert energies(result, "a") == [1, 0, 1]
    assert qualities(result, "a") == [MEASURED] * 3


def test_index_is_linear_between_readings_off_the_boundary() -> None:
    # 6 s before and 894 s after 00:15: index there 1000 + 9000 x 6 / 900 = 1060 mWh -> 1 Wh.
    result = settled(meter("a", {-6: 0, 894: 1000, 1794: 10_000, 2694: 10_000}), quarters=3)
    assert energies(result, "a") == [1, 9, None]
    assert qualities(result, "a") == [MEASURED, MEASURED, MISSING]


@pytest.mark.parametrize(
    ("gap_s", "quality"),
    [(1800, MEASURED), (2700, INTERPOLATED), (7200, INTERPOLATED), (8100, ESTIMATED)],
)
def test_quality_follows_from_the_distance_of_the_readings(gap_s: int, quality: int) -> None:
    result = settled(meter("a", {0: 0, gap_s: 36_000}), quarters=1)
    assert qualities(result, "a") == [quality]


def test_water_read_once_a_day_is_interpolated() -> None:
    volume = delivery(1, {0: 0, 93_600: 104_000, 93_600 * 2 + 1: 208_000}, "vol_m3")
    cold = Meter("w", "cold_water", deliveries=(volume,))
    result = settled(cold, quarters=106)
    assert energies(result, "w")[:2] == [1, 1]
    assert qualities(result, "w")[102:105] == [INTERPOLATED, INTERPOLATED, ESTIMATED]
    assert result.totals["cold_water"][FIRST].conso_total == 1
    assert result.site[FIRST].quality == ABSENT


def test_nothing_is_interpolated_over_more_than_400_days() -> None:
    day = 86_400
    assert energies(settled(meter("a", {-399 * day: 0, day: 38_400_000})), "a") == [1] * 4
    assert energies(settled(meter("a", {-399 * day - 1: 0, day: 38_400_000})), "a") == [None] * 4


def test_best_quality_then_issued_at_then_delivery_then_row_counts() -> None:
    def row(index: int, **how: object) -> Row:
        return replace(Row(DAY_AT + 900, {"en_im": index}), **how)  # type: ignore[arg-type]

    base = delivery(1, {0: 0})
    late_us = YEARS_LATER_US + 5
    first = Delivery(2, YEARS_LATER_US, (row(1000), row(2000)))
    second = Delivery(3, YEARS_LATER_US, (row(3000),))
    estimated = Delivery(4, late_us, (row(4000, quality="estimated"),))
    placeholder = Delivery(5, late_us, (row(5000, quality="placeholder"),))
    issued = Delivery(1, YEARS_LATER_US, (row(6000, issued_at_us=YEARS_LATER_US + 1),))

    def counts(*deliveries: Delivery) -> list[tuple[int | None, int]]:
        result = settled(Meter("a", deliveries=(base, *deliveries)), quarters=1)
        return list(zip(energies(result, "a"), qualities(result, "a"), strict=True))

    assert counts(first) == [(2, MEASURED)]
    assert counts(first, second) == [(3, MEASURED)]
    assert counts(second, estimated, placeholder) == [(3, MEASURED)]
    assert counts(first, second, issued) == [(6, MEASURED)]
    assert counts(first, replace(second, withdrawn=True)) == [(2, MEASURED)]
    assert counts(estimated, placeholder) == [(4, ESTIMATED)]
    assert counts(placeholder) == [(None, MISSING)]

    final = Delivery(4, late_us, (row(4000, quality="estimated", replaces=True),))
    again = Delivery(6, late_us, (row(7000), row(8000, quality="estimated")))
    empty = Delivery(7, late_us, (row(9000, quality="placeholder", replaces=True),))
    early = Delivery(8, late_us, (row(100, replaces=True, issued_at_us=5),))
    assert counts(first, second, final) == [(4, ESTIMATED)]
    assert counts(first, second, replace(final, withdrawn=True)) == [(3, MEASURED)]
    assert counts(final, again) == [(7, MEASURED)]
    assert counts(first, empty) == [(2, MEASURED)]
    assert counts(first, early) == [(2, MEASURED)]


def test_a_spike_is_set_aside_and_the_rest_stays() -> None:
    indexes = {900 * i: 1000 * i for i in range(6)} | {1800: 995_000_000}
    result = settled(meter("a", indexes), quarters=5)
    assert energies(result, "a") == [1] * 5
    assert rules(result) == [(1800, "index-out-of-order")]


def test_of_two_explanations_the_later_reading_is_set_aside() -> None:
    result = settled(meter("a", {0: 5000, 900: 4000}), quarters=1)
    assert rules(result) == [(900, "index-out-of-order")]


def test_zeros_after_a_positive_index_are_an_absent_meter() -> None:
    result = settled(meter("a", {0: 0, 900: 1000, 1800: 0, 2700: 0, 3600: 4000}))
    assert energies(result, "a") == [1, 1, 1, 1]
    assert qualities(result, "a") == [MEASURED, INTERPOLATED, INTERPOLATED, INTERPOLATED]
    assert rules(result) == [(1800, "zero-after-positive"), (2700, "zero-after-positive")]


def test_a_reset_becomes_a_break_when_the_windows_agree() -> None:
    # 40 readings count from 10 kWh, 40 more from 1 Wh.
    old = {900 * i: 10_000_000 + 1000 * i for i in range(40)}
    new = {900 * i: 1000 * (i - 39) for i in range(40, 80)}
    result = settled(meter("a", old | new), quarters=79)
    assert energies(result, "a") == [1] * 39 + [None] + [1] * 39
    assert rules(result) == [(900 * 40, "index-break")]


@given(st.lists(st.integers(0, 6), max_size=9))
def test_the_kept_readings_are_the_first_of_the_largest_choices(values: list[int]) -> None:
    sizes = range(len(values), -1, -1)
    every = (list(kept) for size in sizes for kept in combinations(range(len(values)), size))
    fits = (kept for kept in every if all(values[a] <= values[b] for a, b in pairwise(kept)))
    assert kept_positions(values) == next(fits)


def test_stamps_that_cannot_be_true_are_set_aside() -> None:
    recorded_at = DAY_AT + 900
    rows = [Row(at, {"en_im": 1}) for at in (946_684_799, DAY_AT, DAY_AT + 1800, DAY_AT + 1801)]
    early = Delivery(1, recorded_at * 1_000_000, tuple(rows))
    result = settled(Meter("a", deliveries=(early,)))
    assert rules(result) == [(946_684_799 - DAY_AT, "stamp-too-old"), (1801, "stamp-ahead")]
    assert energies(result, "a") == [0, 0, None, None]


def test_a_silent_meter_is_given_the_mean_of_comparable_days_where_another_speaks() -> None:
    # Friday 1 Wh and Saturday 2 Wh a quarter-hour; silent since. Sunday compares with both alike:
    # 1.5 Wh, so 2, 1, 2 as it is cumulated. The other one speaks until 0:45.
    days = {900 * i: 1000 * min(i, 96) + 2000 * max(0, i - 96) for i in range(193)}
    other = {900 * i: 1000 * i for i in range(196)}
    building = Building((meter("a", days), meter("b", other)), proxy_days=((0, True),))
    result = settle(building, range(FIRST + 190, FIRST + 196))
    assert energies(result, "a") == [2, 2, 2, 1, 2, None]
    assert qualities(result, "a") == [MEASURED] * 2 + [ESTIMATED] * 3 + [MISSING]


def test_the_quarters_of_installation_and_removal_count_whole() -> None:
    # Installed at 00:05 with 2 Wh, removed at 00:40 where a reading of 9 Wh stands.
    read = meter("a", {900: 4000, 1800: 6000, 2400: 9000, 2401: 9000})
    life = replace(
        read,
        installed_at=DAY_AT + 300,
        installed_index={"en_im": 2000},
        removed_at=DAY_AT + 2400,
    )
    result = settled(life)
    assert energies(result, "a") == [2, 2, 3, None]
    assert qualities(result, "a") == [MEASURED, MEASURED, MEASURED, ABSENT]
    assert rules(result) == [(2401, "outside-life")]


def test_without_installed_at_a_meter_counts_from_its_first_whole_quarter() -> None:
    result = settled(meter("a", {300: 0, 900: 600, 1800: 1600}))
    assert qualities(result, "a") == [ABSENT, MEASURED, MISSING, MISSING]


def test_an_installed_meter_without_readings_is_missing_in_its_main_register() -> None:
    pv = Meter("a", facts=(Facts(mode="production"),), installed_at=DAY_AT + 901)
    result = settled(pv, Meter("b"), quarters=2)
    assert [q.alive for q in result.meters["a"].values()] == [False, True]
    assert result.meters["a"][FIRST + 1].ex == RegisterQuarter(None, MISSING)
    assert result.meters["a"][FIRST + 1].im is None
    assert not result.meters["b"][FIRST].alive
    assert [site.quality for site in result.site.values()] == [ABSENT, MISSING]


def test_factor_and_swap_act_on_the_index_from_their_quarter_on() -> None:
    both = (delivery(1, {0: 0, 900: 300, 1800: 600}), delivery(2, {0: 0, 1800: 18_000}, "en_ex"))
    facts = (
        Facts(factor=Fraction("2.5")),
        Facts(valid_from=DAY_AT + 900, registers={"en_im": "en_ex", "en_ex": "en_im"}),
    )
    result = settled(Meter("a", facts=facts, deliveries=both), quarters=2)
    assert energies(result, "a") == [1, 9]  # 750 mWh; 18 Wh - 9 Wh of the other register
    assert result.meters["a"][FIRST].ex == RegisterQuarter(23, MEASURED)  # 22.5, half up


def test_interval_values_are_cumulated_in_the_day_and_overlaps_set_aside() -> None:
    # Half hours of 1000 mWh: 500 a quarter, cumulated 500, 1000, 1500, 2000 -> 1, 1, 2, 2 Wh.
    values = {1800: 1000, 2700: 7000, 3660: 1000, 5400 + 61: 1000}
    half_hours = replace(meter("a", values), interval_s=1800)
    result = settled(half_hours, quarters=5)
    # 01:01 stands for 01:00, an interval after 00:30 but not after 00:45.
    assert energies(result, "a") == [1, 0, None, None, None]
    assert rules(result) == [
        (2700, "interval-overlap"),
        (3660, "interval-overlap"),
        (5461, "stamp-off-interval"),
    ]
    hours = replace(meter("a", {3600: 2000, 7200: 400}), interval_s=3600)
    assert energies(settled(hours, quarters=8), "a") == [1, 0, 1, 0, 0, 0, 0, 0]
    assert qualities(settled(hours), "a") == [INTERPOLATED] * 4


def test_stamps_years_before_the_others_do_not_begin_a_life() -> None:
    year = 365 * 86_400
    far = {-22 * year: 427_708, -22 * year + 900: 427_800}
    indexes = far | {-4 * year: 1000, 0: 5000, 900: 6000}
    result = settled(meter("a", indexes), quarters=1)
    assert rules(result) == [(at, "stamp-far-before") for at in sorted(far)]
    assert energies(result, "a") == [1]
    # A reading in between, not farther than five years from either, makes them believed.
    bridged = meter("a", indexes | {at * year: 427_900 for at in (-17, -13, -8)})
    assert "stamp-far-before" not in {rule for _, rule in rules(settled(bridged))}
    declared = replace(meter("a", indexes), installed_at=DAY_AT - 23 * year)
    assert "stamp-far-before" not in {rule for _, rule in rules(settled(declared))}


def test_a_counter_that_begins_again_counts_all_its_rises() -> None:
    # 3 Wh until 0:30, then 1 + 1, again from 0 on 2: no reading is set aside, no zero is absence.
    indexes = {0: 0, 900: 2000, 1800: 3000, 2700: 1000, 3600: 2000, 4500: 0, 5400: 2000}
    counter = replace(meter("a", indexes), begins_again=True)
    result = settled(counter, quarters=6)
    assert energies(result, "a") == [2, 1, 1, 1, 0, 2]
    assert qualities(result, "a") == [MEASURED] * 2 + [ESTIMATED, MEASURED] * 2
    assert rules(result) == []


def test_a_zero_amid_a_counter_that_goes_on_is_asked() -> None:
    # 1 Wh a quarter-hour; after 214 Wh one 0, then 216: 216 in a quarter-hour or 2 in two.
    indexes = {0: 212, 900: 213, 1800: 214, 2700: 0, 3600: 216, 4500: 217}
    counter = meter("a", {at: wh * 1000 for at, wh in indexes.items()})
    counter = replace(counter, begins_again=True)
    result = settled(counter, quarters=5)
    assert energies(result, "a") == [1, 1, None, None, 1]
    assert rules(result) == [(2700, "index-break"), (3600, "index-break")]
    faulty = (Resolution("en_im", "faulty", DAY_AT + 2700, DAY_AT + 2700),)
    answered = settled(replace(counter, resolutions=faulty), quarters=5)
    assert energies(answered, "a") == [1, 1, 1, 1, 1]


def test_of_two_rows_at_one_boundary_the_nearer_counts_and_of_a_tie_the_earlier() -> None:
    values = {884: 1000, 900: 2000, 1790: 3000, 1815: 4000, 2690: 5000, 2710: 6000}
    quarters = replace(meter("a", values), interval_s=900)
    result = settled(quarters, quarters=3)
    assert energies(result, "a") == [2, 3, 5]
    assert rules(result) == [(at, "interval-overlap") for at in (884, 1815, 2710)]


def test_a_quarter_beyond_int32_is_missing() -> None:
    result = settled(meter("a", {0: 0, 900: 2**31 * 1000, 1800: 2**31 * 1000 + 5000}), quarters=2)
    assert energies(result, "a") == [None, 5]
    assert rules(result) == [(0, "quarter-too-large")]


def test_rule_meters_add_by_register_and_leave_out_what_is_absent() -> None:
    outside = replace(Facts(), balance=False)
    grid = replace(meter("g", {0: 0, 900: 5000}), facts=(outside,))
    grid = replace(grid, deliveries=(*grid.deliveries, delivery(2, {0: 0, 900: 2000}, "en_ex")))
    sun = meter("p", {0: 0, 900: 4000}, "production", "en_ex")
    never = Meter("n", facts=(outside,))
    home = (Operand(1, "g", "en_im"), Operand(-1, "g", "en_ex"), Operand(1, "p", "en_ex"))
    rule = Meter("h", facts=(Facts(rule=home),))
    nested = Meter("i", facts=(Facts(rule=(Operand(-1, "h"), Operand(1, "n"))),))
    plain = Meter("j", facts=(Facts(rule=(Operand(1, "g"), Operand(1, "p"))),))
    gone = Meter("k", facts=(Facts(rule=(Operand(1, "n"),)),))
    result = settled(grid, sun, never, rule, nested, plain, gone, quarters=2)
    assert energies(result, "h") == [7, None]
    assert result.meters["h"][FIRST].ex is None
    assert energies(result, "i") == [-7, None]
    assert energies(result, "j") == [5, None]
    assert result.meters["j"][FIRST].ex == RegisterQuarter(6, MEASURED)
    assert not result.meters["k"][FIRST].alive


def a_site(
    conso: tuple[int, ...], pv: int | None, grid: tuple[int, int] | None, battery: tuple[int, int]
) -> tuple[Meter, ...]:
    """Meters that counted these Wh in the first quarter: consumers c0, c1 and so on, p, g, b."""
    meters = [meter(f"c{i}", {0: 0, 900: wh * 1000}) for i, wh in enumerate(conso)]
    if pv is not None:
        meters.append(meter("p", {0: 0, 900: pv * 1000}, "production", "en_ex"))
    for name, mode, flows in (("g", "introduction", grid), ("b", "battery", battery)):
        if flows is not None and flows != (0, 0):
            rows = (
                Row(DAY_AT, {"en_im": 0, "en_ex": 0}),
                Row(DAY_AT + 900, {"en_im": flows[0] * 1000, "en_ex": flows[1] * 1000}),
            )
            deliveries = (Delivery(1, YEARS_LATER_US, rows),)
            meters.append(Meter(name, facts=(Facts(mode=mode),), deliveries=deliveries))  # type: ignore[arg-type]
    return tuple(meters)


NO_STORAGE = (0, 0)


@pytest.mark.parametrize(
    ("site", "clamped", "books"),
    [
        # conso, self, from_ext, to_ext, prod, charged from own, unmetered
        ((a_site((60, 40), 99, (30, 5), NO_STORAGE)), False, (100, 70, 30, 5, 75, 0, 0)),
        ((a_site((60, 40), None, (101, 0), NO_STORAGE)), False, (100, -1, 101, 0, -1, 0, 0)),
        ((a_site((60, 40), None, (101, 0), NO_STORAGE)), True, (101, 0, 101, 0, 0, 0, 1)),
        ((a_site((60, 40), 150, None, NO_STORAGE)), False, (100, 100, 0, 50, 150, 0, 0)),
        ((a_site((60, 40), 70, None, NO_STORAGE)), False, (100, 70, 30, 0, 70, 0, 0)),
        # With a grid meter: own = 100 + 50 - 20 = 130, consumers first, 30 left to charge.
        ((a_site((60, 40), 1, (20, 0), (50, 0))), False, (100, 100, 20, 0, 130, 30, 0)),
        # Charging 50 and discharging 20 in one quarter is charging 30.
        ((a_site((60, 40), 1, (20, 0), (50, 20))), False, (100, 100, 20, 0, 110, 10, 0)),
        # Discharging 50: own = 80, prod_total = 100 - 50 - 20 + 10.
        ((a_site((60, 40), 1, (20, 10), (0, 50))), False, (100, 80, 20, 10, 40, 0, 0)),
        # Discharging more than is used: what nobody measured was used.
        ((a_site((60, 40), 1, (20, 10), (0, 95))), True, (105, 85, 20, 10, 0, 0, 5)),
        # Without one: supply 120, 100 used, 20 charged, 30 charged from the grid.
        ((a_site((60, 40), 120, None, (50, 0))), False, (100, 100, 30, 0, 120, 20, 0)),
        ((a_site((60, 40), 20, None, (0, 90))), False, (100, 100, 0, 10, 20, 0, 0)),
    ],
)
def test_the_books_of_a_quarter(
    site: tuple[Meter, ...], clamped: bool, books: tuple[int, ...]
) -> None:
    quarter = settled(*site, quarters=1, clamped=clamped).site[FIRST]
    c = quarter.columns
    assert c is not None
    assert (
        c.conso_total,
        c.self_wh,
        c.from_ext,
        c.to_ext,
        c.prod_total,
        c.storage_charging_self,
        c.unmetered,
    ) == books
    assert sum(quarter.self_of.values()) == max(0, min(c.self_wh, 100))


def test_with_a_grid_meter_a_missing_sun_hides_nothing_but_a_missing_consumer_does() -> None:
    missing_sun = replace(meter("p", {}, "production"), installed_at=DAY_AT)
    consumer, grid = a_site((60,), None, (30, 5), NO_STORAGE)
    assert settled(consumer, grid, missing_sun, quarters=1).site[FIRST].quality == MEASURED
    without_grid = settled(consumer, missing_sun, quarters=1)
    assert without_grid.site[FIRST].columns is None
    assert without_grid.site[FIRST].self_of == {}
    assert energies(without_grid, "c0") == [60]


def test_disabled_isolated_and_unbalanced_meters_are_no_members() -> None:
    charge_point = replace(meter("c", {0: 0, 900: 7000}), medium="charge_point")
    home = meter("a", {0: 0, 900: 5000})
    for out in (Facts(balance=False), Facts(isolated=True), Facts(enabled=False)):
        site = settled(replace(home, facts=(out,)), charge_point, quarters=1).site[FIRST]
        assert site.columns is not None
        assert site.columns.conso_total == 7
        assert site.charge_point == 7
        assert site.self_of == {"c": 0}


def test_shares_are_the_floors_of_the_cumulated_quotas() -> None:
    # Quarter 0 has u = 0: 10 Wh over 1:1:1 -> floors of 10/3, 20/3, 30/3.
    alike = {"a": Consumer(1000), "b": Consumer(1000), "c": Consumer(1000)}
    assert pro_rata(10, alike, 0) == {"a": 3, "b": 3, "c": 4}
    # Quarter 1: u = 0x9E3779B9 / 2^32 = 0.618: floors of 3.95, 7.28, 10.618.
    assert pro_rata(10, alike, 1) == {"a": 3, "b": 4, "c": 3}
    assert pro_rata(3, {"a": Consumer(0), "b": Consumer(8)}, 1) == {"a": 0, "b": 3}
    assert pro_rata(0, {"a": Consumer(0), "b": Consumer(0)}, 1) == {"a": 0, "b": 0}


def pro_rata(pool: int, consumers: dict[str, Consumer], number: int) -> dict[str, int]:
    return shares("pro_rata", Quarter(number, pool, pool, consumers, {}))


def sharing(key: Key, pool: int, available: int, *said: Consumer, **producers: int) -> list[int]:
    """Shares in quarter-hour 0, where nothing is added before the floor."""
    consumers = {f"c{position}": consumer for position, consumer in enumerate(said)}
    shared = shares(key, Quarter(0, pool, available, consumers, producers))
    return [shared[name] for name in consumers]


def test_each_key_by_hand() -> None:
    half, third, fifth = Fraction(50), Fraction(30), Fraction(20)
    # 15 of the 30 Wh take part, beside 45.
    assert sharing("pro_rata", 40, 40, Consumer(45), Consumer(30, half)) == [30, 10]
    # The charge point waits; of 20 Wh the flats get 13.3 and 6.7.
    flats = (Consumer(20), Consumer(10), Consumer(30, priority=1))
    assert sharing("priority", 40, 40, *flats) == [20, 10, 10]
    assert sharing("priority", 20, 20, *flats) == [13, 7, 0]
    # Entitled to 50 and 30 of 100 Wh; 20 and 40 used. Of a pool of 40: 20 and 30 in proportion.
    entitled = (Consumer(20, half), Consumer(40, third))
    assert sharing("fixed", 60, 100, *entitled) == [20, 30]
    assert sharing("fixed", 40, 100, *entitled) == [16, 24]
    # 30 would be the first one's, who used 20; the other 40 Wh go 3 to 2.
    thirds = (Consumer(20, half), Consumer(100, third), Consumer(100, fifth), Consumer(9))
    assert sharing("fixed_redistributed", 60, 60, *thirds) == [20, 24, 16, 0]
    assert sharing("equal", 60, 60, Consumer(8), Consumer(40), Consumer(50)) == [8, 26, 26]
    # The producer's 50 Wh: 40 are all that their owner used, 10 are left with the battery's 10.
    owner = Consumer(40, producers={"pv": None})
    assert sharing("own_first", 60, 60, owner, Consumer(30), pv=50) == [40, 20]
    # A pool below what was produced is cut: 30 of the 50 Wh, all of them the owner's.
    assert sharing("own_first", 30, 60, owner, Consumer(30), pv=50) == [30, 0]
    # 70 and 20 of 100 Wh; 50 used, so 30 are left for those who still need 20 and 60.
    seventy, twenty = (Consumer(n, producers={"pv": Fraction(p)}) for n, p in ((50, 70), (40, 20)))
    assert sharing("matrix", 100, 100, seventy, twenty, Consumer(60), pv=100) == [50, 27, 23]


@examples(few=10, many=50)
@given(plans(days=1))
def test_generated_buildings_close_their_books_and_share_all(plan: Plan) -> None:
    day = first_day(plan)
    result = settle(building_of(plan), range(96 * day, 96 * (day + 1)))
    for quarter in result.site.values():
        c = quarter.columns
        if c is None:
            continue
        charging = max(0, c.storage_charging_total - c.storage_discharging_total)
        assert c.conso_total + charging == c.self_wh + c.storage_charging_self + c.from_ext
        pool = max(0, min(c.self_wh, c.conso_total - c.unmetered))
        assert sum(quarter.self_of.values()) <= pool
        if plan.key == "equal" and "key" not in plan.changes:
            assert sum(quarter.self_of.values()) == pool
