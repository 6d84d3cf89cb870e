"""Exchanges, resets, rollovers and changed serials, worked out by hand."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from commonwatt.domain.energy.index_energy import QuarterColumns, index_energy, index_segments
from commonwatt.domain.metering.catalogue import (
    Device,
    Medium,
    Meter,
    MeterFacts,
    Mode,
    Register,
    Resolution,
    ResolutionKind,
)
from commonwatt.domain.metering.findings import FindingRule
from commonwatt.domain.metering.quality import Method, Quality
from commonwatt.domain.metering.readings import RegisterReadings
from commonwatt.domain.vee.history import RegisterHistory
from commonwatt.domain.vee.pipeline import JudgedRegister, judge_index_register

NOON_AT = 20_000 * 86_400 + 43_200
FIRST = NOON_AT // 900
KWH = 1_000_000
"""[mWh]"""
METER = Meter(
    number=1,
    id="a" * 24,
    name="Home",
    medium=Medium.ELECTRICITY,
    prim_ad=1,
    facts=(MeterFacts(valid_from=0, valid_to=None, mode=Mode.CONSUMPTION),),
)
EN_IM = Register.EN_IM


def judged(
    meter: Meter, indexes: Sequence[int], serials: Sequence[str] | None = None
) -> JudgedRegister:
    """Judge indexes [Wh] read every quarter-hour from noon on."""
    stamps = NOON_AT + 900 * np.arange(len(indexes))
    none = np.zeros(len(indexes), np.bool_)
    measured = np.full(len(indexes), Quality.MEASURED, np.uint8)
    values = np.array(indexes, np.int64) * 1000
    readings = RegisterReadings(
        stamps, values, measured, none, None if serials is None else np.array(serials)
    )
    positive = stamps[values > 0]
    of_later = {
        device.from_at: int(positive[positive > device.from_at][0])
        for device in meter.devices
        if device.from_at is not None
    }
    history = RegisterHistory(
        meter=1,
        register="en_im",
        readings=readings,
        from_start=True,
        to_end=True,
        first_positive_at=int(positive[0]),
        first_positive_of=of_later,
    )
    return judge_index_register(history, meter)


def quarters(register: JudgedRegister, count: int) -> QuarterColumns:
    indexes = index_segments(register.segments, FIRST, FIRST + count, 7200)
    return index_energy(indexes, FIRST, FIRST + count, Decimal(1))


def known(columns: QuarterColumns) -> list[int | None]:
    """Wh per quarter-hour, None where it is missing."""
    pairs = zip(columns.energy.tolist(), columns.quality.tolist(), strict=True)
    return [wh if quality >= Quality.ESTIMATED else None for wh, quality in pairs]


def rules(register: JudgedRegister) -> list[FindingRule]:
    return [finding.rule for finding in register.findings]


def exchanged(
    start_wh: int | None, end_wh: int | None, at_s: int, factor: Decimal | None = None
) -> Meter:
    """Exchange the device so long after noon."""
    end = {} if end_wh is None else {EN_IM: end_wh * 1000}
    start = {} if start_wh is None else {EN_IM: start_wh * 1000}
    devices = (
        Device(end_index=end),
        Device(from_at=NOON_AT + at_s, start_index=start, factor=factor),
    )
    return replace(METER, devices=devices)


@pytest.mark.parametrize("start_wh", [0, 700, 9_000_000])
def test_an_exchange_within_a_quarter_hour_conserves_both_devices(start_wh: int) -> None:
    # Old: 1000, 1100, then 1160 when it was taken out at 12:20. New: 40 Wh until 12:30, then 100.
    new = [start_wh + 40, start_wh + 140]
    register = judged(exchanged(start_wh, 1160, 1200), [1000, 1100, *new])
    columns = quarters(register, 3)
    assert known(columns) == [100, 60 + 40, 100]
    assert columns.quality.tolist() == [Quality.MEASURED, Quality.ESTIMATED, Quality.MEASURED]
    assert columns.method.tolist() == [Method.INDEX, Method.SEAM, Method.INDEX]
    assert rules(register) == []


def test_an_exchange_on_the_boundary_needs_no_estimate() -> None:
    register = judged(exchanged(500, 1100, 900), [1000, 500, 600, 700])
    columns = quarters(register, 3)
    assert known(columns) == [100, 100, 100]
    assert columns.method.tolist() == [Method.INDEX] * 3
    assert rules(register) == []


def test_a_reading_of_the_exchange_that_says_otherwise_is_set_aside() -> None:
    register = judged(exchanged(500, 1200, 900), [1000, 1100, 600, 700])
    assert rules(register) == [FindingRule.INDEX_OUT_OF_ORDER]
    assert known(quarters(register, 3)) == [200, 100, 100]


def test_a_reading_of_the_exchange_with_the_last_index_of_the_old_is_the_olds() -> None:
    register = judged(exchanged(500, 1200, 900), [1000, 1200, 600, 700])
    assert rules(register) == []
    assert known(quarters(register, 3)) == [200, 100, 100]


def test_the_new_device_may_stand_at_zero_after_it() -> None:
    register = judged(exchanged(0, 1200, 900), [1000, 1200, 0, 100])
    assert rules(register) == []
    assert known(quarters(register, 3)) == [200, 0, 100]


@pytest.mark.parametrize(("serial", "findings"), [("A", []), ("B", ["index-out-of-order"])])
def test_a_reading_of_the_exchange_with_a_serial_is_of_that_device(
    serial: str, findings: list[str]
) -> None:
    meter = exchanged(500, 1200, 900)
    meter = replace(meter, devices=(replace(meter.devices[0], serial="A"), meter.devices[1]))
    register = judged(meter, [1000, 1200, 600, 700], ["A", serial, "B", "B"])
    assert rules(register) == findings
    assert known(quarters(register, 3)) == [200, 100, 100]


def test_a_device_has_a_factor_of_its_own() -> None:
    # 60 Wh of the old device once, 40 of the new one 2.5 times.
    register = judged(exchanged(0, 1160, 1200, Decimal("2.5")), [1000, 1100, 40, 140])
    assert known(quarters(register, 3)) == [100, 60 + 100, 250]


@pytest.mark.parametrize(("start_wh", "end_wh"), [(None, None), (0, None), (None, 1160)])
def test_an_exchange_without_an_index_is_a_break(start_wh: int | None, end_wh: int | None) -> None:
    register = judged(exchanged(start_wh, end_wh, 1200), [1000, 1100, 40, 140])
    assert known(quarters(register, 3)) == [100, None, 100]
    assert rules(register) == [FindingRule.INDEX_BREAK]


@pytest.mark.parametrize("new", [[40, 140], [5_000, 5_100]])
def test_another_serial_is_a_break_whether_the_index_is_lower_or_higher(new: list[int]) -> None:
    register = judged(METER, [1000, 1100, *new], ["A", "A", "B", "B"])
    assert known(quarters(register, 3)) == [100, None, 100]
    assert rules(register) == [FindingRule.SERIAL_CHANGED]
    assert register.findings[0].evidence == {
        "index_before": 1100 * 1000,
        "index_after": new[0] * 1000,
    }


def test_another_serial_is_explained_by_the_exchange() -> None:
    meter = exchanged(5_000, 1160, 1200)
    register = judged(meter, [1000, 1100, 5_040, 5_140], ["A", "A", "B", "B"])
    assert known(quarters(register, 3)) == [100, 100, 100]
    assert rules(register) == []


def test_a_rollover_is_counted_on() -> None:
    # Four digits of kWh: from 9999.900 to 0.050 it counted 150 Wh.
    register = judged(METER, [9_999_700, 9_999_800, 9_999_900, 50, 150, 250])
    assert known(quarters(register, 5)) == [100, 100, 150, 100, 100]
    assert rules(register) == [FindingRule.ROLLOVER]


def test_a_reset_is_no_rollover() -> None:
    # From 9500 kWh to 0: nobody uses 500 kWh in a quarter-hour.
    register = judged(
        METER, [9_500_000 + 100 * n for n in range(20)] + [100 * n + 1 for n in range(20)]
    )
    assert rules(register) == [FindingRule.INDEX_BREAK]


def test_a_rollover_that_is_no_whole_number_of_wh_is_a_break() -> None:
    facts = (replace(METER.facts[0], factor=Decimal("0.00000001")),)
    rising = [9_999_000 + 50 * n for n in range(20)]
    register = judged(replace(METER, facts=facts), rising + [n + 1 for n in range(20)])
    assert FindingRule.INDEX_BREAK in rules(register)


def test_digits_may_be_declared() -> None:
    # 99990 kWh to 10: of five digits; the smallest power of ten above is the same.
    meter = replace(METER, devices=(Device(digits=5),))
    register = judged(meter, [99_999_800, 99_999_900, 50, 150])
    assert known(quarters(register, 3)) == [100, 150, 100]
    fewer = replace(METER, devices=(Device(digits=3),))
    register = judged(fewer, [999_800, 999_900, 50, 150])
    assert known(quarters(register, 3)) == [100, 150, 100]


def resolved(kind: ResolutionKind, start_s: int, end_s: int, digits: int | None = None) -> Meter:
    declared = Resolution(
        register=EN_IM, kind=kind, start_at=NOON_AT + start_s, end_at=NOON_AT + end_s, digits=digits
    )
    return replace(METER, resolutions=(declared,))


RESET = [1000, 1100, 30, 130]


def test_what_was_counted_since_a_reset_is_an_estimate() -> None:
    assert known(quarters(judged(METER, RESET), 3))[1] is None
    register = judged(resolved(ResolutionKind.RESET, 900, 1800), RESET)
    columns = quarters(register, 3)
    assert known(columns) == [100, 30, 100]
    assert columns.quality[1] == Quality.ESTIMATED
    assert rules(register) == []


def test_a_rollover_may_be_declared() -> None:
    register = judged(resolved(ResolutionKind.ROLLOVER, 900, 1800, digits=4), RESET)
    assert known(quarters(register, 3)) == [100, 10_000_000 - 1100 + 30, 100]
    assert rules(register) == [FindingRule.ROLLOVER]


def test_readings_may_be_declared_faulty() -> None:
    register = judged(resolved(ResolutionKind.FAULTY, 900, 900), [1000, 1190, 1200, 1300])
    assert known(quarters(register, 3)) == [100, 100, 100]
    assert rules(register) == [FindingRule.DECLARED_FAULTY]


def test_zeros_of_a_later_device_count_until_its_first_positive_index() -> None:
    meter = exchanged(0, 1160, 1200)
    register = judged(meter, [1000, 1100, 0, 0, 100, 0, 300])
    assert known(quarters(register, 6)) == [100, 60, 0, 100, 100, 100]
    assert rules(register) == [FindingRule.ZERO_AFTER_POSITIVE]
