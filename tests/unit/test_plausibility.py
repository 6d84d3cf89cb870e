"""Each rule on what hardly can be: what it finds, and what it leaves alone."""

import csv
import gzip
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from commonwatt.domain.metering.catalogue import (
    Medium,
    Meter,
    MeterFacts,
    Mode,
    Register,
    Site,
    SiteCatalogue,
    SiteFacts,
)
from commonwatt.domain.metering.findings import FindingRule
from commonwatt.domain.metering.meter_energy import MeterEnergy, RegisterEnergy
from commonwatt.domain.metering.quality import Quality
from commonwatt.domain.metering.readings import ReadingQuality, StoredReadings
from commonwatt.domain.plausibility.clock import clock_skews
from commonwatt.domain.plausibility.days.both_ways import imports_and_exports
from commonwatt.domain.plausibility.days.frozen import frozen_registers
from commonwatt.domain.plausibility.days.night import nights, productions_at_night
from commonwatt.domain.plausibility.days.register_check import register_mismatches
from commonwatt.domain.plausibility.days.whole_days import WholeDays
from commonwatt.domain.plausibility.duplicates import duplicate_readings
from commonwatt.domain.plausibility.steps.counted import Counted
from commonwatt.domain.plausibility.steps.gap import gaps
from commonwatt.domain.plausibility.steps.power import powers_above_limit

DAY = 20_620  # 2026-06-16
DAY_AT = DAY * 86_400
DAYS = WholeDays.within(96 * DAY, 96 * (DAY + 1))
FACTS = MeterFacts(valid_from=0, valid_to=None, mode=Mode.CONSUMPTION)
HOME = Meter(
    number=1, id="a" * 24, name="Home", medium=Medium.ELECTRICITY, prim_ad=11, facts=(FACTS,)
)
SITE = Site(number=1, id="5" * 24, name="House", timezone="Europe/Zurich")


def in_mode(mode: Mode) -> Meter:
    return replace(HOME, facts=(replace(FACTS, mode=mode),))


def catalogue(*meters: Meter, connection_w: int | None = None) -> SiteCatalogue:
    facts = SiteFacts(valid_from=0, valid_to=None, connection_w=connection_w)
    return SiteCatalogue(site=SITE, facts=(facts,), meters=meters, sensors=(), generation=1)


def counted(stamps: list[int], values_wh: list[int]) -> Counted:
    at, values = np.array(stamps), np.array(values_wh) * 1_000
    return Counted(at[:-1], at[1:], np.diff(values), np.ones(len(at) - 1, np.bool_))


def energy_of_day(im: list[int] | None, ex: list[int] | None) -> MeterEnergy:
    measured = np.full(96, Quality.MEASURED, np.uint8)
    sides = [None if s is None else RegisterEnergy(np.array(s), measured.copy()) for s in (im, ex)]
    return MeterEnergy(sides[0], sides[1], np.ones(96, np.bool_), measured)


def test_a_gap_is_more_than_two_hours_of_electricity() -> None:
    spans = counted([DAY_AT, DAY_AT + 7_200, DAY_AT + 14_401], [0, 100, 400])

    [found] = gaps(HOME, "en_im", spans, DAY_AT, DAY_AT + 86_400)

    assert (found.start_at, found.end_at) == (DAY_AT + 7_200, DAY_AT + 14_401)
    assert found.evidence == {"seconds": 7_201, "energy": 300}
    assert gaps(HOME, "en_im", spans, DAY_AT, DAY_AT + 14_401) == []


@pytest.mark.parametrize(
    ("rise_wh", "max_per_hour", "connection_w", "limit"),
    [
        (100_500, None, None, None),
        (110_000, None, None, 100_000),
        (30_000, 20_000, None, 20_000),
        (30_000, None, 25_000, 25_000),
        (30_000, 40_000, 25_000, None),
    ],
)
def test_power_has_the_limit_that_is_declared_or_that_of_the_medium(
    rise_wh: int, max_per_hour: int | None, connection_w: int | None, limit: int | None
) -> None:
    meter = replace(HOME, facts=(replace(FACTS, max_per_hour=max_per_hour),))
    stamps = [DAY_AT + 3_600 * hour for hour in range(12)]
    spans = counted(stamps, [100 * h + (rise_wh - 100 if h > 5 else 0) for h in range(12)])

    found = powers_above_limit(
        catalogue(meter, connection_w=connection_w), meter, "en_im", spans, DAY_AT, DAY_AT + 86_400
    )

    expected = [] if limit is None else [{"energy": rise_wh, "seconds": 3_600, "limit": limit}]
    assert [each.evidence for each in found] == expected


def test_a_factory_that_always_draws_much_is_ordinary() -> None:
    stamps = [DAY_AT + 3_600 * hour for hour in range(20)]
    spans = counted(stamps, [500_000 * hour for hour in range(20)])

    assert powers_above_limit(catalogue(HOME), HOME, "en_im", spans, DAY_AT, DAY_AT + 86_400) == []


def test_the_step_of_a_home_in_konstanz_is_found(shared_data: Path) -> None:
    file = shared_data / "opsd_cossmic_60min" / "residential3_60min_index.csv.gz"
    with gzip.open(file, "rt", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["grid_import"]]
    stamps = [int(datetime.fromisoformat(r["utc_timestamp"]).timestamp()) + 3_600 for r in rows]
    spans = counted(stamps, [int(Decimal(row["grid_import"]) * 1_000) for row in rows])

    found = powers_above_limit(catalogue(HOME), HOME, "en_im", spans, stamps[0], stamps[-1] + 1)

    [step] = [each.evidence for each in found]
    assert step["energy"] == pytest.approx(803_900, abs=50)
    assert (step["seconds"], step["limit"]) == (3_600, 100_000)


@pytest.mark.parametrize(("offset_s", "found_s"), [(60, None), (61, 61), (-200, -200), (449, 449)])
def test_a_clock_is_off_by_what_all_stamps_share(offset_s: int, found_s: int | None) -> None:
    stamps = DAY_AT + 900 * np.arange(1, 95) + offset_s

    found = clock_skews(HOME, "en_im", stamps, DAY_AT, DAY_AT + 86_400)

    expected = [] if found_s is None else [{"offset": found_s, "count": 94}]
    assert [each.evidence for each in found] == expected


def test_stamps_anywhere_are_no_skewed_clock() -> None:
    stamps = DAY_AT + 910 * np.arange(1, 90)

    assert clock_skews(HOME, "en_im", stamps, DAY_AT, DAY_AT + 86_400) == []


def test_an_instant_said_differently_is_found_unless_withdrawn_or_of_lesser_quality() -> None:
    measured, estimated = ReadingQuality.MEASURED, ReadingQuality.ESTIMATED
    stored = StoredReadings(
        stamps=np.array([10, 20, 30, 10, 20, 30, 30]),
        values={Register.EN_IM: np.array([1, 2, 3, 5, 2, 9, 8])},
        qualities=np.array([measured] * 5 + [estimated] * 2, np.uint8),
        issued_at=np.arange(7),
        issued=np.zeros(7, np.bool_),
        ahead=np.zeros(7, np.bool_),
        deliveries=np.array([1, 1, 1, 2, 2, 2, 2]),
        serials=np.array([""] * 7),
    )

    [found] = duplicate_readings(HOME, stored, frozenset())

    evidence = {"count": 2, "lowest": 1, "highest": 5, "in_one_delivery": 0}
    assert (found.start_at, found.evidence) == (10, evidence)
    assert duplicate_readings(HOME, stored, {2}) == []
    assert duplicate_readings(HOME, stored, {1, 2}) == []


def test_a_grid_meter_that_imports_nothing_is_frozen_unless_there_is_a_battery() -> None:
    grid, still = in_mode(Mode.INTRODUCTION), energy_of_day([0] * 96, None)

    assert len(frozen_registers(grid, still, DAYS, 47.0, has_battery=False)) == 1
    assert frozen_registers(grid, still, DAYS, 47.0, has_battery=True) == []
    assert frozen_registers(HOME, still, DAYS, 47.0, has_battery=False) == []
    awake = energy_of_day([0] * 95 + [1], None)
    assert frozen_registers(grid, awake, DAYS, 47.0, has_battery=False) == []


def test_the_sun_is_missed_in_summer_only() -> None:
    sun, still = in_mode(Mode.PRODUCTION), energy_of_day(None, [0] * 96)

    assert len(frozen_registers(sun, still, DAYS, 47.0, has_battery=True)) == 1
    assert frozen_registers(sun, still, DAYS, -34.0, has_battery=True) == []


def test_import_and_export_alike_for_a_quarter_of_a_day() -> None:
    [found] = imports_and_exports(HOME, energy_of_day([100] * 96, [60] * 24 + [0] * 72), DAYS)

    assert found.evidence == {"quarters": 24, "energy": 24 * 60}
    less = energy_of_day([100] * 96, [60] * 23 + [49] * 73)
    assert imports_and_exports(HOME, less, DAYS) == []


def test_a_gap_spread_both_ways_is_no_wiring_in_reverse() -> None:
    both = energy_of_day([100] * 96, [60] * 96)
    assert both.ex is not None
    both.ex.quality[:73] = Quality.ESTIMATED

    assert imports_and_exports(HOME, both, DAYS) == []


def test_production_at_night_is_that_of_local_night() -> None:
    sun, dark = in_mode(Mode.PRODUCTION), nights(SITE, DAYS)
    assert dark is not None
    # 21:00 to 02:00 UTC are 23:00 to 04:00 in Zurich in June.
    assert np.flatnonzero(dark[0]).tolist() == [*range(8), *range(84, 96)]

    [found] = productions_at_night(sun, energy_of_day(None, [201] + [0] * 95), DAYS, dark)

    assert found.evidence == {"energy": 201}
    by_day = energy_of_day(None, [0] * 8 + [500] * 76 + [0] * 12)
    assert productions_at_night(sun, by_day, DAYS, dark) == []
    assert nights(replace(SITE, latitude=60.2), DAYS) is None


@pytest.mark.parametrize(
    ("interval_wh", "told"),
    [(100, None), (1_000, {"factor": 10_000}), (25, {"factor": 250}), (130, {"residual": 2_880})],
)
def test_intervals_are_checked_against_the_register(
    interval_wh: int, told: dict[str, int] | None
) -> None:
    checked = replace(HOME, number=2, id="b" * 24, prim_ad=12, register_meter="prim_ad:11.en_im")
    energies = {
        1: energy_of_day([100] * 96, None),
        2: energy_of_day([interval_wh] * 96, None),
    }

    found = register_mismatches(catalogue(HOME, checked), checked, energies, DAYS)

    sums = {"intervals": 96 * interval_wh, "register": 9_600}
    assert [each.evidence for each in found] == ([] if told is None else [sums | told])
    assert {each.rule for each in found} <= {FindingRule.INTERVAL_REGISTER_MISMATCH}
    assert all(each.belongs_at == DAY_AT for each in found)
