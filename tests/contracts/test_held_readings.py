"""Readings that look like something else: held back whatever brought them, until somebody says."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from commonwatt.adapters.store.opening import open_database
from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.declaring.apply import apply_declaration
from commonwatt.app.findings.read import read_findings
from commonwatt.app.readings.deliveries import (
    NothingToChange,
    accept_delivery,
    take_acceptance_back,
    withdraw_delivery,
)
from commonwatt.app.readings.ingest import Implausible, ImplausibleReadings, ingest_readings
from commonwatt.app.series.read import read_meter_series
from commonwatt.domain.metering.catalogue import HeldSpan, Looks, Meter, SiteCatalogue
from commonwatt.domain.metering.quality import Quality
from commonwatt.domain.metering.readings import Receipt
from commonwatt.formats.declaration.yaml import declaration_from_yaml
from tests.contracts.bodies import Said, body
from tests.contracts.stored_results import (
    add_building,
    deliver,
    known_results,
    settle_everything,
    settle_from_scratch,
)
from tests.depth import examples
from tests.oracle import facts as oracle

DAY = 20_500
START = DAY * 86_400
NOW_US = (START + 40 * 86_400) * 1_000_000
KWH = 1_000_000
FLAT_WH = [60, 55, 80, 300, 120, 90, 70, 500]
"""What a flat uses in quarter-hours, again and again."""
A_DAY_MWH = sum(FLAT_WH) * 12 * 1000


@pytest.fixture
def store(store_url: str) -> Iterator[SqlStore]:
    database = open_database(store_url)
    yield SqlStore(database)
    database.close()


def stamps_of(day: int, count: int = 96) -> list[int]:
    """The starts of the quarter-hours of a day."""
    return [START + day * 86_400 + 900 * number for number in range(count)]


def interval_day(day: int, kind: str) -> list[oracle.Row]:
    """A day of an interval meter."""
    energies = [FLAT_WH[number % 8] * 1000 for number in range(96)]
    if kind == "wh":
        energies = [energy * 1000 for energy in energies]
    elif kind == "index":
        energies = [1000 * KWH + sum(energies[: number + 1]) for number in range(96)]
    elif kind == "new index":
        energies = [sum(energies[: number + 1]) for number in range(96)]
    elif kind == "morning of a new index":
        energies = [15 * KWH + sum(energies[: number + 1]) for number in range(32)]
    elif kind == "morning of a sun":
        energies = [0] * 24 + [number**2 * 3_000 for number in range(28)]
    elif kind == "rising":
        energies = [(number + 1) * 1000 for number in range(96)]
    elif kind == "few":
        energies = energies[:3]
    rows = [
        oracle.Row(at + 900, {"en_im": energy})
        for at, energy in zip(stamps_of(day, len(energies)), energies, strict=True)
    ]
    return rows[3::4] if kind == "hours" else rows


def index_day(day: int, kind: str, units: int, reached: int) -> list[oracle.Row]:
    """A day of an index meter that has ``reached`` an index [mWh], in ``units`` for one."""
    rises = [0 if kind == "few" else FLAT_WH[number % 8] * 1000 for number in range(96)]
    if kind == "energies":
        return [replace(row, stamp=row.stamp - 900) for row in interval_day(day, "right")]
    indexes = [(reached + sum(rises[: number + 1])) * units for number in range(96)]
    if kind == "two falls":
        indexes[80] = indexes[90] = indexes[0] * 9 // 10
    rows = [
        oracle.Row(at, {"en_im": index}) for at, index in zip(stamps_of(day), indexes, strict=True)
    ]
    return rows[:3] if kind == "few" else rows


def series(interval_s: int | None, kinds: Sequence[str]) -> list[oracle.Row]:
    if interval_s is not None:
        return [row for day, kind in enumerate(kinds) for row in interval_day(day, kind)]
    rows: list[oracle.Row] = []
    units = 1
    for day, kind in enumerate(kinds):
        if kind != "few":
            units = 1000 if kind == "wh" else 1
        rows += index_day(day, kind, units, 5_000 * KWH + day * A_DAY_MWH)
    return rows


def meter_of(store: SqlStore, site: SiteCatalogue) -> Meter:
    with store.snapshot() as snapshot:
        return snapshot.catalogue.catalogue(site.site.number).meters[0]


def spans(held: Sequence[HeldSpan]) -> list[tuple[str, float | None, float | None]]:
    """What is held, and the days from and until when."""

    def day(at: int | None) -> float | None:
        return None if at is None else (at - START) / 86_400

    return [(each.looks.value, day(each.from_at), day(each.until_at)) for each in held]


INTERVAL_KINDS = st.lists(
    st.sampled_from(["right", "index", "wh", "hours", "few", "rising"]), max_size=4
)
INDEX_KINDS = st.lists(st.sampled_from(["right", "wh", "energies", "few", "two falls"]), max_size=4)


def assert_same_in_any_parts(
    store: SqlStore, interval_s: int | None, kinds: Sequence[str], seed: int
) -> None:
    rows, chance = series(interval_s, kinds), Random(seed)
    building = oracle.Building((oracle.Meter("a" * 24, interval_s=interval_s),))
    at_once, stepwise = add_building(store, building), add_building(store, building)
    deliver(store, at_once.site.number, at_once.meters[0], tuple(rows), NOW_US)

    left, number = list(rows), 0
    if chance.random() < 0.7:
        size = chance.choice((24, 96, 500))
        parts = [left[first : first + size] for first in range(0, len(left), size)]
        chance.shuffle(parts)
        left = [row for part in parts for row in part]
    while left:
        size = chance.choice((1, 1, 2, 30, 96, 300))
        part, left = left[:size], left[size:]
        number += 1
        deliver(store, stepwise.site.number, stepwise.meters[0], tuple(part), NOW_US + number)
        if chance.random() < 0.2:
            settle_everything(store, stepwise.site.number)

    for each in (at_once, stepwise):
        settle_everything(store, each.site.number)
    held = [meter_of(store, each).held for each in (at_once, stepwise)]
    note(str(spans(held[0])))
    assert held[0] == held[1]
    expected = known_results(store, at_once.site.number)
    assert known_results(store, stepwise.site.number) == expected
    settle_from_scratch(store, stepwise.site.number)
    assert known_results(store, stepwise.site.number) == expected


@examples(few=4, many=25)
@given(kinds=INTERVAL_KINDS, seed=st.integers(0, 2**32 - 1))
def test_intervals_in_any_parts_and_order_settle_alike(
    store: SqlStore, kinds: list[str], seed: int
) -> None:
    assert_same_in_any_parts(store, 900, kinds or ["index"], seed)


@examples(few=4, many=25)
@given(kinds=INDEX_KINDS, seed=st.integers(0, 2**32 - 1))
def test_indexes_in_any_parts_and_order_settle_alike(
    store: SqlStore, kinds: list[str], seed: int
) -> None:
    assert_same_in_any_parts(store, None, kinds or ["wh"], seed)


@pytest.mark.parametrize(
    ("interval_s", "kinds", "held"),
    [
        (900, ["right", "right"], []),
        (900, ["index"], [("index", None, None)]),
        (900, ["few", "index", "few", "right"], [("index", None, 3)]),
        (900, ["right", "wh", "few", "wh", "right"], [("unit", 1, 4)]),
        (900, ["new index", "few"], [("index", None, None)]),
        (900, ["morning of a new index"], [("index", None, None)]),
        (900, ["morning of a sun"], []),
        (900, ["rising"], []),
        (900, ["right", "rising", "right"], []),
        (900, ["rising", "index"], [("index", None, None)]),
        (900, ["right", "hours"], [("coarser-intervals", 1, None)]),
        (None, ["right", "right"], []),
        (None, ["wh", "few"], [("unit", None, None)]),
        (None, ["right", "wh", "wh"], [("unit", 1, None)]),
        (None, ["right", "wh", "right"], [("unit", 1, 2)]),
        (None, ["energies", "right"], [("intervals", None, 1)]),
    ],
)
def test_what_is_held_back(
    store: SqlStore,
    interval_s: int | None,
    kinds: list[str],
    held: list[tuple[str, int | None, int | None]],
) -> None:
    site = add_building(store, oracle.Building((oracle.Meter("a" * 24, interval_s=interval_s),)))
    deliver(store, 1, site.meters[0], tuple(series(interval_s, kinds)), NOW_US)

    assert spans(meter_of(store, site).held) == held


@pytest.mark.parametrize(
    ("interval_s", "kinds"), [(900, ["index", "rising"]), (None, ["energies", "two falls"])]
)
def test_a_day_that_was_good_until_noon_ends_nothing_once_it_is_complete(
    store: SqlStore, interval_s: int | None, kinds: list[str]
) -> None:
    site = add_building(store, oracle.Building((oracle.Meter("a" * 24, interval_s=interval_s),)))
    rows = series(interval_s, kinds)
    looks = "index" if interval_s else "intervals"
    deliver(store, 1, site.meters[0], tuple(rows[: 96 + 48]), NOW_US)
    assert spans(meter_of(store, site).held) == [(looks, None, 1)]
    deliver(store, 1, site.meters[0], tuple(rows[96 + 48 :]), NOW_US + 1)
    assert spans(meter_of(store, site).held) == [(looks, None, None)]


@pytest.mark.parametrize(
    ("interval_s", "kinds", "then", "held"),
    [
        (900, ["index", "right"], "wh", ("unit", 2, None)),
        (900, ["wh", "right"], "index", ("index", 2, None)),
        (900, ["index", "right"], "index", None),
        (None, ["energies", "right"], "wh", ("unit", 2, None)),
    ],
)
def test_what_was_accepted_once_excuses_nothing_else(
    store: SqlStore,
    interval_s: int | None,
    kinds: list[str],
    then: str,
    held: tuple[str, int, None] | None,
) -> None:
    site = add_building(store, oracle.Building((oracle.Meter("a" * 24, interval_s=interval_s),)))
    days = [series(interval_s, kinds[:1]), series(interval_s, kinds)[96:]]
    days.append(series(interval_s, [*kinds, then])[2 * 96 :])
    receipt = deliver(store, 1, site.meters[0], tuple(days[0]), NOW_US)
    assert receipt.delivery is not None
    accept_delivery(store, 1, receipt.delivery, None, "it is right", "me", NOW_US)
    for number, rows in enumerate(days[1:], start=1):
        deliver(store, 1, site.meters[0], tuple(rows), NOW_US + number)

    assert spans(meter_of(store, site).held) == ([] if held is None else [held])


@pytest.mark.parametrize("beside", [False, True])
def test_rows_of_another_meter_far_off_hide_nothing(store: SqlStore, beside: bool) -> None:
    """60 kW from one reading to the next, three times in a row, four days apart."""
    meters = oracle.Meter("a" * 24), oracle.Meter("b" * 24)
    site = add_building(store, oracle.Building(meters))
    noon = START + 43_200
    read = {0: 1_000, 40: 1_000, 44: 6_760, 48: 12_520, 52: 18_280}
    for day in (40, 44, 48, 52):
        rows = [Said(noon + day * 86_400, en_im=read[day] * KWH)]
        if day == 40:
            rows.append(Said(noon, en_im=read[0] * KWH))
        elif day == 52 and beside:
            rows.append(Said(noon, en_im=5, meter="b" * 24))
        columns = body(site, rows)
        ingest_readings(store, 1, columns, "gateway", "test", NOW_US + 20 * 86_400_000_000 + day)

    assert spans(meter_of(store, site).held) == [("unit", None, None)]


def test_a_day_that_falls_at_last_is_no_index_any_more(store: SqlStore) -> None:
    site = add_building(store, oracle.Building((oracle.Meter("a" * 24, interval_s=900),)))
    rows = interval_day(0, "index")[:30]
    deliver(store, 1, site.meters[0], tuple(rows), NOW_US)
    assert spans(meter_of(store, site).held) == [("index", None, None)]
    fallen = oracle.Row(stamps_of(0)[31], {"en_im": 50 * KWH})
    deliver(store, 1, site.meters[0], (fallen,), NOW_US + 1)
    assert spans(meter_of(store, site).held) == [("unit", None, None)]


SITE = (
    "site: {{site_ref: A, name: House, timezone: Australia/Adelaide}}\n"
    "meters:\n"
    "  - {{name: Flat, type: electricity, mode: consumption, prim_ad: 1{more}}}\n"
)


def declare(store: SqlStore, more: str = "") -> list[str]:
    declaration = declaration_from_yaml(SITE.format(more=more).encode())
    return list(apply_declaration(store, declaration, "tester", NOW_US // 1_000_000).lines)


def catalogue(store: SqlStore) -> SiteCatalogue:
    with store.snapshot() as snapshot:
        return snapshot.catalogue.catalogue(1)


def say(
    store: SqlStore, rows: Sequence[oracle.Row], implausible: Implausible = Implausible.HELD
) -> Receipt:
    meter = catalogue(store).meters[0]
    said = [
        Said(row.stamp, row.values["en_im"], meter=meter.id, replaces=row.replaces) for row in rows
    ]
    columns = body(catalogue(store), said)
    return ingest_readings(store, 1, columns, "gateway", "test", NOW_US, implausible)


def energy_wh(store: SqlStore, days: int = 1) -> int | None:
    """What is answered of the first days; None where nothing is known of any quarter-hour."""
    known = catalogue(store)
    with store.snapshot() as snapshot:
        of_meter = read_meter_series(snapshot, known, known.meters[0], DAY * 96, (DAY + days) * 96)
    there = of_meter.quality_total > Quality.MISSING
    return int(of_meter.total[there].sum()) if there.any() else None


WH = series(None, ["wh", "few"])
FIRST_DAY_WH = sum(FLAT_WH) * 12 - FLAT_WH[0]


def test_a_gateway_that_sends_wh_is_asked_about_and_right_once_the_factor_is(
    store: SqlStore,
) -> None:
    declare(store)
    receipts = [say(store, [row]) for row in WH]

    assert [each.held != () for each in receipts[:3]] == [False] * 3
    assert [(each.rows, each.rule) for each in receipts[-1].held] == [(1, "looks-like-unit")]
    assert "Wh (or W) sent as kWh" in receipts[-1].held[0].reason
    assert "`factor: 0.001`" in receipts[-1].held[0].reason
    assert energy_wh(store) is None

    lines = declare(store, ", factor: 0.001, valid_from: 2025-01-01")

    assert "no readings held back" in "".join(lines)
    assert energy_wh(store) == FIRST_DAY_WH


@pytest.mark.both_engines
def test_readings_that_are_accepted_count_and_so_does_what_follows(store: SqlStore) -> None:
    declare(store)
    receipt = say(store, WH[:96])
    assert receipt.delivery is not None

    accept_delivery(store, 1, receipt.delivery, None, "a furnace", "me", NOW_US)
    assert energy_wh(store) == FIRST_DAY_WH * 1000
    assert say(store, WH[96:]).held == ()

    take_acceptance_back(store, 1, receipt.delivery, None, "me", NOW_US)
    assert energy_wh(store) is None
    with pytest.raises(NothingToChange, match="was not accepted"):
        take_acceptance_back(store, 1, receipt.delivery, None, "me", NOW_US)


def test_what_is_held_is_found_where_it_lies_with_what_to_do(store: SqlStore) -> None:
    declare(store, ", interval: PT15M")
    say(store, series(900, ["right", "index"]))
    with store.snapshot() as snapshot:
        found = [
            (each.rule.value, (each.start_at - START) // 86_400, (each.end_at - START) // 86_400)
            for each in read_findings(
                snapshot, catalogue(store), START + 86_400, START + 2 * 86_400
            )
            if each.rule.needs_decision
        ]

    # Its last interval ends as the third day begins, of which that is all that was said.
    assert found == [("looks-like-index", 1, 3)]
    assert energy_wh(store) == A_DAY_MWH // 1000


def test_an_interval_that_ends_at_midnight_goes_with_the_day_that_ends(store: SqlStore) -> None:
    declare(store, ", interval: PT15M")
    say(store, series(900, ["right", "index", "right"]))
    settle_everything(store, 1)
    known = catalogue(store)
    with store.snapshot() as snapshot:
        of_meter = read_meter_series(snapshot, known, known.meters[0], DAY * 96, (DAY + 3) * 96)

    held = of_meter.quality_total == Quality.MISSING
    assert held.tolist() == [False] * 96 + [True] * 96 + [False] * 96
    assert of_meter.total[~held].tolist() == FLAT_WH * 24


def test_a_refused_body_leaves_nothing_behind(store: SqlStore) -> None:
    declare(store, ", interval: PT15M")
    index = series(900, ["index"])

    with pytest.raises(ImplausibleReadings, match="indexes sent to an interval meter"):
        say(store, index, Implausible.REFUSED)

    with store.snapshot() as snapshot:
        assert snapshot.readings.deliveries(1) == []
    assert catalogue(store).meters[0].held == ()
    # Nothing counts, so the meter can be declared as what it is.
    declare(store, ", interval: null")
    assert say(store, index, Implausible.REFUSED).held == ()
    assert energy_wh(store) == FIRST_DAY_WH


def test_held_indexes_are_judged_anew_once_the_meter_is_an_index_meter(store: SqlStore) -> None:
    declare(store, ", interval: PT15M")
    assert [each.rule for each in say(store, series(900, ["index"])).held] == ["looks-like-index"]

    declare(store, ", interval: null")

    assert catalogue(store).meters[0].held == ()
    assert energy_wh(store) == FIRST_DAY_WH


def test_what_is_withdrawn_holds_nothing_back(store: SqlStore) -> None:
    declare(store, ", interval: PT15M")
    say(store, series(900, ["right"]))
    receipt = say(store, series(900, ["few", "wh"])[3:])
    assert catalogue(store).meters[0].held[0].looks is Looks.UNIT
    assert receipt.delivery is not None

    withdraw_delivery(store, 1, receipt.delivery, "Wh", "me", NOW_US)

    assert catalogue(store).meters[0].held == ()


@pytest.mark.parametrize("mode", ["consumption", "introduction"])
def test_a_flat_of_sixty_kilowatts_is_asked_and_a_grid_connection_is_not(
    store: SqlStore, mode: str
) -> None:
    """60 W that were sent as kW, all day; and 40,000 kWh a month, read monthly."""
    lines = SITE.format(more=", interval: PT15M")
    lines += "  - {name: Cellar, type: electricity, mode: consumption, prim_ad: 2}\n"
    declared = declaration_from_yaml(lines.replace("consumption", mode).encode())
    apply_declaration(store, declared, "tester", NOW_US // 1_000_000)
    cellar, flat = sorted(catalogue(store).meters, key=lambda meter: meter.name)
    said = [Said(at, 15 * KWH, meter=flat.id) for at in stamps_of(0)]
    said += [
        Said(START + (30 * month - 90) * 86_400, (7_000 + 40_000 * month) * KWH, meter=cellar.id)
        for month in range(4)
    ]
    receipt = ingest_readings(store, 1, body(catalogue(store), said), "gateway", "test", NOW_US)

    expected = {flat.id: "looks-like-unit", cellar.id: "looks-like-unit"}
    found = {each.meter_id: each.rule for each in receipt.held}
    assert found == (expected if mode == "consumption" else {})


def a_phase(share: int, days: int = 2) -> list[oracle.Row]:
    """Days of which a phase has so many hundredths, a little more in every third quarter-hour."""
    return [
        replace(row, values={"en_im": row.values["en_im"] * (share + at % 3) // 100})
        for at, row in enumerate(series(900, ["right"] * days))
    ]


def test_phases_that_come_one_after_the_other_are_asked_and_not_the_last_counted(
    store: SqlStore,
) -> None:
    declare(store, ", interval: PT15M")
    first = say(store, a_phase(50))
    alone = energy_wh(store)
    second = say(store, a_phase(30))
    with pytest.raises(ImplausibleReadings, match="several series under one meter, as one a phase"):
        say(store, a_phase(20), Implausible.REFUSED)

    assert first.held == ()
    assert [(each.rows, each.rule) for each in second.held] == [(192, "looks-like-several-series")]
    assert energy_wh(store) is None
    assert second.delivery is not None
    withdraw_delivery(store, 1, second.delivery, "another phase", "me", NOW_US)
    assert energy_wh(store) == alone


def test_of_several_series_what_is_accepted_counts_and_what_replaces_is_none(
    store: SqlStore,
) -> None:
    declare(store, ", interval: PT15M")
    say(store, a_phase(50))
    receipt = say(store, a_phase(30))
    assert receipt.delivery is not None
    accept_delivery(store, 1, receipt.delivery, None, "they are right", "me", NOW_US)
    expected = sum(row.values["en_im"] for row in a_phase(30)[1:97]) // 1000
    assert energy_wh(store) == pytest.approx(expected, abs=1)

    take_acceptance_back(store, 1, receipt.delivery, None, "me", NOW_US)
    final = say(store, [replace(row, replaces=True) for row in a_phase(20)])
    assert final.held == ()
    expected = sum(row.values["en_im"] for row in a_phase(20)[1:97]) // 1000
    assert energy_wh(store) == pytest.approx(expected, abs=1)


@pytest.mark.parametrize(
    ("interval_s", "of_before"),
    [
        pytest.param(900, lambda row, at: row * 95 // 100, id="five in a hundred"),
        pytest.param(900, lambda row, at: row if at % 4 else 2 * row, id="every fourth"),
        pytest.param(900, lambda row, at: row // 1000, id="another unit"),
        pytest.param(None, lambda row, at: row + 300_000, id="an index a little higher"),
    ],
)
def test_a_correction_is_no_other_series(
    store: SqlStore, interval_s: int | None, of_before: Callable[[int, int], int]
) -> None:
    declare(store, ", interval: PT15M" if interval_s else "")
    rows = series(interval_s, ["right"])
    before = [
        replace(row, values={"en_im": of_before(row.values["en_im"], at)})
        for at, row in enumerate(rows)
    ]
    say(store, before)
    assert say(store, rows).held == ()


def test_indexes_of_two_devices_under_one_meter_are_asked(store: SqlStore) -> None:
    declare(store)
    rows = series(None, ["right"])
    say(store, rows)
    other = [replace(row, values={"en_im": row.values["en_im"] // 3}) for row in rows]
    assert [each.rule for each in say(store, other).held] == ["looks-like-several-series"]


@pytest.mark.parametrize("interval_s", [900, None])
def test_several_series_are_held_back_in_any_parts(store: SqlStore, interval_s: int | None) -> None:
    """Row by row or at once, on some days; a day that gets more rows is judged anew."""
    building = oracle.Building((oracle.Meter("a" * 24, interval_s=interval_s),))
    at_once, stepwise = add_building(store, building), add_building(store, building)
    rows = series(interval_s, ["right"] * 3)
    again = [replace(row, values={"en_im": row.values["en_im"] // 3}) for row in rows[96:-30]]
    held = []
    for site, size in ((at_once, 500), (stepwise, 7)):
        number = site.site.number
        first, rest = rows[:200], rows[200:]
        for part in (first, again, rest):
            for start in range(0, len(part), size):
                deliver(store, number, site.meters[0], tuple(part[start : start + size]), NOW_US)
                if size < 500 and start % 5 == 0:
                    settle_everything(store, number)
        settle_everything(store, number)
        held.append(spans(meter_of(store, site).held))
    assert held == [[("several-series", 1, None)]] * 2
    expected = known_results(store, at_once.site.number)
    assert known_results(store, stepwise.site.number) == expected
    settle_from_scratch(store, stepwise.site.number)
    assert known_results(store, stepwise.site.number) == expected
