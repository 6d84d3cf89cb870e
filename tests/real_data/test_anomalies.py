"""What validation finds in real registers with known faults, with numbers."""

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from commonwatt.domain.energy.index_energy import index_energy, index_segments
from commonwatt.domain.metering.catalogue import Mode, Register
from commonwatt.domain.metering.findings import FindingRule
from commonwatt.domain.metering.quality import Method, Quality
from commonwatt.domain.vee.pipeline import JudgedRegister
from tests.real_data import real_registers
from tests.real_data.real_registers import Stamped, at, raw, rows_of

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
METER = real_registers.meter_of(1, Mode.CONSUMPTION)


def judged(stamped: Stamped) -> JudgedRegister:
    """Judge the whole history of a register."""
    register = real_registers.judged(METER, {Register.EN_IM: stamped}).registers[Register.EN_IM]
    assert isinstance(register, JudgedRegister)
    return register


def found(register: JudgedRegister) -> list[tuple[FindingRule, str]]:
    return [
        (finding.rule, dt.datetime.fromtimestamp(finding.end_at, AMSTERDAM).isoformat(" ")[:16])
        for finding in register.findings
    ]


SPIKE = (FindingRule.INDEX_OUT_OF_ORDER, "2022-11-04 15:00")
STEP_BACK = (FindingRule.INDEX_OUT_OF_ORDER, "2024-02-25 00:00")


@pytest.mark.parametrize(
    ("column", "findings", "gap_wh"),
    [
        ("import_t1_kwh", [SPIKE, STEP_BACK], 748_700),
        ("import_t2_kwh", [SPIKE], 256_600),
        (
            "export_t1_kwh",
            [SPIKE, (FindingRule.INDEX_OUT_OF_ORDER, "2023-08-12 11:00"), STEP_BACK],
            21_800,
        ),
        ("export_t2_kwh", [SPIKE], 72_300),
    ],
)
def test_spike_and_falls_of_a_dutch_house_lose_no_energy(
    shared_data: Path, column: str, findings: list[tuple[FindingRule, str]], gap_wh: int
) -> None:
    rows = rows_of(shared_data / "p1mon_nl_prosumer" / "p1mon_hourly_2021-03_2024-03.csv.gz")
    stamped = {at(row["timestamp_local"], AMSTERDAM): raw(row[column]) for row in rows}
    register = judged(stamped)
    assert found(register) == findings
    first, end = min(stamped) // 900, max(stamped) // 900
    indexes = index_segments(register.segments, first, end, 7200)
    columns = index_energy(indexes, first, end, METER.facts[0].factor)
    assert (columns.quality >= Quality.ESTIMATED).all()
    rise = stamped[max(stamped)] // 1000 - stamped[min(stamped)] // 1000
    assert columns.energy.sum() == rise
    assert columns.energy.min() >= 0
    # 46 days without a reading: what was counted meanwhile is all there, as an estimate.
    gap = slice(
        at("2022-11-24 12:00", AMSTERDAM) // 900 - first,
        at("2023-01-09 10:00", AMSTERDAM) // 900 - first,
    )
    assert abs(int(columns.energy[gap].sum()) - gap_wh) <= 50
    assert (columns.quality[gap] == Quality.ESTIMATED).all()
    assert (columns.method[gap] == Method.LINEAR).all()


def test_a_water_meter_that_falls_to_zero_is_absent_not_reset(shared_data: Path) -> None:
    rows = rows_of(shared_data / "homewizard_nl" / "homewizard_2025_15min_water.csv.gz")
    stamped = {at(row["time"], AMSTERDAM): raw(row["water usage dl"], 100) for row in rows}
    register = judged(stamped)
    assert {finding.rule for finding in register.findings} == {FindingRule.ZERO_AFTER_POSITIVE}
    assert len(register.findings) == 66
    assert int(register.segments[0].readings.breaks_before[-1]) == 0


def test_a_catch_up_step_keeps_its_energy(shared_data: Path) -> None:
    rows = rows_of(shared_data / "opsd_cossmic_60min" / "residential3_60min_index.csv.gz")
    stamped = {
        at(row["utc_timestamp"], AMSTERDAM): raw(row["grid_import"])
        for row in rows
        if row["grid_import"]
    }
    register = judged(stamped)
    assert found(register) == []
    step_at = at("2017-07-08T16:00:00Z", AMSTERDAM)
    indexes = index_segments(register.segments, step_at // 900 - 4, step_at // 900, 7200)
    columns = index_energy(indexes, step_at // 900 - 4, step_at // 900, METER.facts[0].factor)
    assert int(columns.energy.sum()) == 803_940
