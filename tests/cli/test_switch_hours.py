"""Importing files on the wall clock over a clock change, up to the energy of each interval."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.series.read import read_meter_series
from commonwatt.domain.metering.quality import Quality
from commonwatt.settings import Settings
from commonwatt.stores import open_store_of
from tests.cli.command import CommandLine

ZURICH, NEW_YORK = "Europe/Zurich", "America/New_York"


def wall(text: str) -> datetime:
    """A time on some clock."""
    return datetime.fromisoformat(text)


def house_of(cw: CommandLine, zone: str, interval: str) -> CommandLine:
    """Give a store with a flat of interval energy, one of indexes, and a sensor."""
    declaration = f"""
site: {{id: 61dfc9a0eba4e3564021f36a, name: Abroad, timezone: {zone}}}
meters:
  - {{name: Flat, type: electricity, mode: consumption, prim_ad: 11, interval: {interval}}}
  - {{name: Shop, type: electricity, mode: consumption, prim_ad: 12}}
sensors:
  - {{id: 61dfcb4beba4e3563fdf3db0, name: Stairs, type: temperature, unit: "°C"}}
"""
    assert cw("apply", cw.write("house.yaml", declaration)).code == 0
    return cw


def table(rows: Iterable[tuple[datetime, str]], header: str = "timestamp,en_im") -> str:
    return "\n".join([header, *(f"{stamp.isoformat()},{value}" for stamp, value in rows), ""])


def quarters(house: CommandLine, prim_ad: int, start: datetime, end: datetime) -> list[int | None]:
    """The energy [Wh] of each quarter-hour of a meter, None where it is missing."""
    store: SqlStore = open_store_of(Settings.model_validate({"data": house.store[1]}))
    with store.snapshot() as snapshot:
        catalogue = snapshot.catalogue.catalogue(1)
        meter = next(each for each in catalogue.meters if each.prim_ad == prim_ad)
        first, last = (int(at.timestamp()) // 900 for at in (start, end))
        series = read_meter_series(snapshot, catalogue, meter, first, last)
    store.database.close()
    known = series.quality_total > Quality.MISSING
    return [
        int(value) if there else None
        for value, there in zip(series.total, np.asarray(known), strict=True)
    ]


def test_a_spring_day_of_48_columns_has_46_half_hours(cw: CommandLine) -> None:
    """The two slots that do not exist are filled with 0, in labels of the end 02:30 and 03:00."""
    house = house_of(cw, NEW_YORK, "PT30M")
    day = wall("2026-03-08 00:00")
    labels = [day + timedelta(minutes=30 * number) for number in range(1, 49)]
    fillers = (wall("2026-03-08 02:30"), wall("2026-03-08 03:00"))
    file = house.write(
        "day.csv", table((label, "0" if label in fillers else "0.5") for label in labels)
    )
    ended = house("import", file, "--meter", "prim_ad:11", "--timezone", NEW_YORK)
    assert ended.code == 1
    assert "46 accepted, 0 unchanged, 0 superseding, 2 rejected" in ended.out
    assert "row 5: timestamp: 2026-03-08 02:30:00 does not happen in America/New_York" in ended.err
    assert "row 6: timestamp: 2026-03-08 03:00:00" in ended.err
    start = datetime(2026, 3, 8, 5, tzinfo=UTC)
    assert quarters(house, 11, start, start + timedelta(hours=23)) == [250] * 92


@pytest.mark.parametrize("newest_first", [True, False])
def test_an_autumn_day_has_its_hundred_quarter_hours_whatever_the_order(
    cw: CommandLine, newest_first: bool
) -> None:
    """Labels of the end on the wall clock: 03:00 is there twice."""
    house = house_of(cw, ZURICH, "PT15M")
    starts = [wall("2024-10-27 00:00") + timedelta(minutes=15 * n) for n in range(12)]
    starts += [wall("2024-10-27 02:00") + timedelta(minutes=15 * n) for n in range(88)]
    # Each of 1 to 100 Wh once, up and down: values that only rise would be taken for indexes.
    energy_wh = [37 * number % 101 for number in range(1, 101)]
    rows = [
        (at + timedelta(minutes=15), f"0.{wh:03}") for at, wh in zip(starts, energy_wh, strict=True)
    ]
    file = house.write("day.csv", table(rows[::-1] if newest_first else rows))
    ended = house("import", file, "--meter", "prim_ad:11", "--timezone", ZURICH)
    assert (ended.code, "100 accepted" in ended.out) == (0, True)
    start = datetime(2024, 10, 26, 22, tzinfo=UTC)
    assert quarters(house, 11, start, start + timedelta(hours=25)) == energy_wh


def test_indexes_over_an_autumn_night_follow_the_order_or_are_open(cw: CommandLine) -> None:
    house = house_of(cw, ZURICH, "PT15M")
    start = datetime(2024, 10, 26, 22, tzinfo=UTC)
    rows = [
        (
            wall("2024-10-27 00:00") + timedelta(minutes=15 * (n if n < 12 else n - 4)),
            f"{n / 10:.1f}",
        )
        for n in range(25)
    ]
    lost = [row for n, row in enumerate(rows) if not 8 <= n < 12]
    file = house.write("lost.csv", table(lost))
    ended = house("import", file, "--meter", "prim_ad:12", "--timezone", ZURICH)
    assert (ended.code, "5 rejected" in ended.out) == (1, True)
    assert "happens twice in Europe/Zurich and is in the file once" in ended.err
    assert quarters(house, 12, start, start + timedelta(hours=6))[:8] == [100] * 8
    file = house.write("whole.csv", table(rows))
    assert house("import", file, "--meter", "prim_ad:12", "--timezone", ZURICH).code == 0
    assert quarters(house, 12, start, start + timedelta(hours=6)) == [100] * 24


def test_values_of_a_sensor_over_an_autumn_night(cw: CommandLine) -> None:
    house = house_of(cw, ZURICH, "PT15M")
    rows = [
        (wall(f"2024-10-27 {hour:02}:00"), f"{20 + n}.5") for n, hour in enumerate((1, 2, 2, 3, 4))
    ]
    file = house.write("stairs.csv", table(rows, "timestamp,value"))
    ended = house("import", file, "--sensor", "61dfcb4beba4e3563fdf3db0", "--timezone", ZURICH)
    assert (ended.code, "5 accepted" in ended.out) == (0, True)


def test_a_night_sorted_by_its_labels_is_read_on_request(cw: CommandLine) -> None:
    house = house_of(cw, ZURICH, "PT15M")
    night = [wall("2024-10-27 01:00") + timedelta(minutes=15 * n) for n in range(13)]
    rows = [
        (at, f"0.{n:02}{k}") for n, at in enumerate(night) for k in range(2 if 4 <= n < 8 else 1)
    ]
    file = house.write("night.csv", table(rows))
    words = ("import", file, "--meter", "prim_ad:11", "--timezone", ZURICH)
    refused = house(*words)
    assert (refused.code, "9 rejected" in refused.out) == (1, True)
    assert "or import with --repeated-hour by-order" in refused.err
    assert house(*words, "--repeated-hour", "by-order").code == 0
    start = datetime(2024, 10, 26, 23, 45, tzinfo=UTC)
    found = quarters(house, 11, start, start + timedelta(hours=2, minutes=15))
    assert found == [40, 50, 60, 70, 41, 51, 61, 71, 80]
    wrong = house(*words, "--repeated-hour", "guess")
    assert (wrong.code, "certain or by-order" in wrong.err) == (2, True)
