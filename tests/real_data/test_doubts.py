"""What the rules on what hardly can be find in real meters, and what they leave alone."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from commonwatt.domain.metering.catalogue import Medium, Mode, Register
from commonwatt.domain.metering.findings import Finding, FindingRule
from tests.real_data.real_registers import (
    Stamped,
    at,
    counts,
    findings_of,
    judged,
    meter_of,
    raw,
    rows_of,
)

AMSTERDAM, BERLIN = ZoneInfo("Europe/Amsterdam"), ZoneInfo("Europe/Berlin")
GRID = meter_of(1, Mode.INTRODUCTION)
GAP, NIGHT = FindingRule.GAP, FindingRule.PRODUCTION_AT_NIGHT
IM, EX = Register.EN_IM, Register.EN_EX


def tariffs_summed(file: Path, stamp: str, columns: tuple[str, str, str, str]) -> list[Finding]:
    """Findings about a Dutch grid meter whose registers of both tariffs are added."""
    rows = rows_of(file)
    low_in, high_in, low_out, high_out = columns
    imported = {at(r[stamp], AMSTERDAM): raw(r[low_in]) + raw(r[high_in]) for r in rows}
    exported = {at(r[stamp], AMSTERDAM): raw(r[low_out]) + raw(r[high_out]) for r in rows}
    return list(findings_of(AMSTERDAM, judged(GRID, {IM: imported, EX: exported})))


P1MON = ("import_t1_kwh", "import_t2_kwh", "export_t1_kwh", "export_t2_kwh")
HOMEWIZARD = ("Import T1 kWh", "Import T2 kWh", "Export T1 kWh", "Export T2 kWh")


def test_a_dutch_house_has_seven_gaps_and_nothing_that_cannot_be(shared_data: Path) -> None:
    """A gap is spread both ways, which is no wiring in reverse; nothing is caught up."""
    file = shared_data / "p1mon_nl_prosumer" / "p1mon_hourly_2021-03_2024-03.csv.gz"

    found = tariffs_summed(file, "timestamp_local", P1MON)

    assert counts(found) == {GAP: 14, FindingRule.INDEX_OUT_OF_ORDER: 5}
    gaps = [each.evidence for each in found if each.rule is GAP and each.register == IM]
    # In hours and Wh; the step back within the last one is set aside.
    assert [(each["seconds"] // 3600, each["energy"]) for each in gaps] == [
        (264, 78_558),
        (73, 19_118),
        (4, 2_570),
        (4, 359),
        (1_102, 1_005_365),
        (27, 10_023),
        (12, 436),
    ]


def test_its_minutes_have_a_gap_of_eleven_hours(shared_data: Path) -> None:
    file = shared_data / "p1mon_nl_prosumer" / "p1mon_1min_2024-02.csv.gz"

    found = tariffs_summed(file, "timestamp_local", P1MON)

    assert counts(found) == {GAP: 2, FindingRule.INDEX_OUT_OF_ORDER: 2}
    assert [dict(each.evidence) for each in found if each.rule is GAP] == [
        {"seconds": 40_140, "energy": 30},
        {"seconds": 40_140, "energy": 109},
    ]


def test_a_sample_that_imports_and_exports_at_once_is_found_on_every_day(shared_data: Path) -> None:
    """HomeWizard's month counts up in all four registers in most quarter-hours, also at night."""
    file = shared_data / "homewizard_nl" / "homewizard_2022-09_15min_elec_index.csv.gz"

    found = tariffs_summed(file, "time", HOMEWIZARD)

    assert counts(found) == {FindingRule.IMPORT_AND_EXPORT: 30}
    assert found[0].evidence == {"quarters": 60, "energy": 21_402}
    assert sum(each.evidence["energy"] for each in found) == 630_278


def test_a_water_meter_is_doubted_in_nothing_but_its_zeros(shared_data: Path) -> None:
    rows = rows_of(shared_data / "homewizard_nl" / "homewizard_2025_15min_water.csv.gz")
    indexes = {at(row["time"], AMSTERDAM): raw(row["water usage dl"], 100) for row in rows}
    meter = meter_of(1, Mode.CONSUMPTION, Medium.COLD_WATER)

    found = findings_of(AMSTERDAM, judged(meter, {Register.VOL_M3: indexes}))

    assert counts(found) == {FindingRule.ZERO_AFTER_POSITIVE: 66}


@pytest.mark.parametrize("mode", [Mode.CONSUMPTION, Mode.INTRODUCTION])
def test_a_year_of_quarter_hours_without_faults_is_not_doubted(
    shared_data: Path, mode: Mode
) -> None:
    file = shared_data / "energiemanager_nl_15min" / "elec_2025_15min_index.csv.gz"
    rows = [row for row in rows_of(file, ";") if row["code"] == "ellm"]
    indexes = {int(row["moment"]): raw(row["value"], 1_000) for row in rows}
    assert len(indexes) == 34_943

    assert findings_of(AMSTERDAM, judged(meter_of(1, mode), {IM: indexes})) == []


def home_of_konstanz(shared_data: Path, number: int) -> list[Finding]:
    """Findings about grid and sun of a home; its hours are named by their start."""
    rows = rows_of(shared_data / "opsd_cossmic_60min" / f"residential{number}_60min_index.csv.gz")

    def column(name: str) -> Stamped:
        return {
            at(row["utc_timestamp"], BERLIN) + 3_600: raw(row[name]) for row in rows if row[name]
        }

    grid = judged(GRID, {IM: column("grid_import"), EX: column("grid_export")})
    sun = judged(meter_of(2, Mode.PRODUCTION), {EX: column("pv")})
    return list(findings_of(BERLIN, grid, sun))


def test_a_sun_that_shines_at_night_is_found_seven_times(shared_data: Path) -> None:
    """A step of up to 73.3 kWh in one hour of seven nights: what a gap was filled with.

    The grid meter's step of 804 kWh follows no standstill that could explain it.
    """
    found = home_of_konstanz(shared_data, 3)

    assert counts(found) == {FindingRule.POWER_ABOVE_LIMIT: 1, NIGHT: 7}
    nights = [(each.start_at // 86_400, each.evidence["energy"]) for each in found[:-1]]
    april_8 = 17_264
    assert nights == [
        (april_8, 73_305),
        (april_8 + 2, 73_305),
        (april_8 + 3, 73_305),
        (april_8 + 4, 73_306),
        (april_8 + 5, 73_305),
        (april_8 + 11, 26_353),
        (april_8 + 13, 26_353),
    ]
    assert found[-1].end_at == at("2017-07-08T17:00:00Z", BERLIN)
    assert found[-1].evidence == {"energy": 803_940, "seconds": 3_600, "limit": 100_000}


@pytest.mark.parametrize("number", [4, 6])
def test_other_homes_of_the_town_are_not_doubted(shared_data: Path, number: int) -> None:
    assert home_of_konstanz(shared_data, number) == []


@pytest.mark.slow
@pytest.mark.parametrize("number", range(1, 7))
def test_machines_that_run_now_and_then_are_nobodys_question(
    shared_data: Path, number: int
) -> None:
    """Heat pumps, a charging car, dishwashers, washing machines: nothing of them is unusual."""
    rows = rows_of(shared_data / "opsd_cossmic_60min" / f"residential{number}_60min_index.csv.gz")
    machines = [name for name in rows[0] if name.partition("_")[0] not in ("utc", "grid", "pv")]
    for name in machines:
        indexes = {at(row["utc_timestamp"], BERLIN): raw(row[name]) for row in rows if row[name]}
        found = findings_of(BERLIN, judged(meter_of(1, Mode.CONSUMPTION), {IM: indexes}))
        assert [each for each in found if each.rule.needs_decision] == [], name
