"""No clean real series is taken for something else, and what is made of it wrongly is."""

import csv
import datetime as dt
import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from numpy.typing import NDArray

from commonwatt.domain.metering.catalogue import (
    REGISTERS_OF,
    Looks,
    Medium,
    Meter,
    Mode,
    Site,
    SiteCatalogue,
    SiteFacts,
)
from commonwatt.domain.metering.quality import Quality
from commonwatt.domain.metering.readings import RegisterReadings
from commonwatt.domain.plausibility.meters.character import judge_character
from commonwatt.domain.plausibility.meters.power_limits import PowerLimits
from tests.real_data.real_registers import meter_of

ELECTRICITY, WATER, HEAT = Medium.ELECTRICITY, Medium.COLD_WATER, Medium.HEATING


@dataclass(frozen=True)
class Table:
    """A file of series in one unit: ``units`` make 1 kWh or 1 m3; of intervals or of indexes."""

    file: str
    stamp: str
    form: str
    zone: str
    columns: tuple[str, ...]
    medium: Medium
    units: float = 1.0
    interval_s: int | None = None
    delimiter: str = ","


def _indexes_of(number: int, *columns: str) -> Table:
    file = f"opsd_cossmic_60min/residential{number}_60min_index.csv.gz"
    return Table(file, "utc_timestamp", "iso", "UTC", columns, ELECTRICITY)


_TARIFFS = ("import_t1_kwh", "import_t2_kwh", "export_t1_kwh", "export_t2_kwh")
_OF_HOMEWIZARD = ("Import T1 kWh", "Import T2 kWh", "Export T1 kWh", "Export T2 kWh")
_OF_SLIMME = (
    *("levering_normaal", "levering_laag"),
    *("teruglevering_normaal", "teruglevering_laag"),
)
_OF_DSMR = (
    "Electricity 1 (Dutch Users: Low Tariff)",
    "Electricity 2 (Dutch Users: Normal Tariff)",
    "Electricity 1 Returned (Dutch Users: Low Tariff)",
    "Electricity 2 Returned (Dutch Users: Normal Tariff)",
)
_OF_ENPHASE = (
    *("Energy Produced (Wh)", "Energy Consumed (Wh)"),
    *("Exported to Grid (Wh)", "Imported from Grid (Wh)"),
)
_SIMBENCH = "simbench_de_15min/simbench_profiles_2016_15min.csv.gz"
_AMSTERDAM, _MINUTES = "Europe/Amsterdam", "%Y-%m-%d %H:%M"
_SECONDS = "%Y-%m-%d %H:%M:%S"
TABLES = (
    Table(
        "ampds2_ca_water_gas_15min/ampds2_water_gas_15min_index_2012-04_2014-03.csv.gz",
        "unix_ts",
        "unix",
        "UTC",
        ("water_whw_counter_L",),
        WATER,
        1000,
    ),
    Table(
        "ausgrid_au_30min/ausgrid_customer12_2011-07_2012-06_30min.csv.gz",
        "",
        _SECONDS,
        "Australia/Sydney",
        ("GC", "GG"),
        ELECTRICITY,
        1,
        1800,
    ),
    Table(
        "dsmr_reader_nl_hourly/dsmrreader_2024_hourly.csv.gz",
        "Hour Start",
        "iso",
        "UTC",
        _OF_DSMR,
        ELECTRICITY,
        1,
        3600,
    ),
    Table(
        "energiemanager_nl_15min/elec_2025_15min_index.csv.gz",
        "moment",
        "unix",
        "UTC",
        ("value",),
        ELECTRICITY,
        1000,
        None,
        ";",
    ),
    Table(
        "enphase_us_hourly/enphase_2022-10_2024-08_hourly.csv.gz",
        "Date/Time",
        "%m/%d/%Y %H:%M",
        "America/Denver",
        _OF_ENPHASE,
        ELECTRICITY,
        1000,
        3600,
    ),
    Table(
        "eredes_pt_15min/eredes_2024-09_2025-09_15min_kw.csv.gz",
        "data hora",
        "%Y/%m/%d %H:%M",
        "Europe/Lisbon",
        ("consumo_ativa_kw",),
        ELECTRICITY,
        4,
        900,
    ),
    Table(
        "heat_dk_hourly/danish_heat_meter_660_2018_2020_hourly_index.csv.gz",
        "time_rounded",
        "iso",
        "UTC",
        ("energy_heat_kwh",),
        HEAT,
    ),
    Table(
        "heat_dk_hourly/danish_heat_meter_660_2018_2020_hourly_index.csv.gz",
        "time_rounded",
        "iso",
        "UTC",
        ("volume_flow_m3",),
        WATER,
    ),
    Table(
        "homewizard_nl/homewizard_2022-09_15min_elec_index.csv.gz",
        "time",
        _MINUTES,
        _AMSTERDAM,
        _OF_HOMEWIZARD,
        ELECTRICITY,
    ),
    Table(
        "homewizard_nl/homewizard_2025_15min_water.csv.gz",
        "time",
        _MINUTES,
        _AMSTERDAM,
        ("water usage dl",),
        WATER,
        10_000,
    ),
    _indexes_of(1, "dishwasher", "freezer", "grid_import", "heat_pump", "pv", "washing_machine"),
    *(_indexes_of(number, "grid_import", "pv", "dishwasher", "freezer") for number in range(2, 7)),
    Table(
        "p1mon_nl_prosumer/p1mon_1min_2024-02.csv.gz",
        "timestamp_local",
        _SECONDS,
        _AMSTERDAM,
        _TARIFFS,
        ELECTRICITY,
    ),
    Table(
        "p1mon_nl_prosumer/p1mon_hourly_2021-03_2024-03.csv.gz",
        "timestamp_local",
        _SECONDS,
        _AMSTERDAM,
        _TARIFFS,
        ELECTRICITY,
    ),
    Table(
        "p1mon_nl_prosumer/p1mon_monthly_2019-05_2024-03.csv.gz",
        "timestamp_local",
        "%Y-%m-%d",
        _AMSTERDAM,
        _TARIFFS,
        ELECTRICITY,
    ),
    Table(
        "slimmemeterportal_nl_15min/smp_2023_15min.csv.gz",
        "datum_tijd",
        "%d-%m-%Y %H:%M:%S %z",
        "UTC",
        _OF_SLIMME,
        ELECTRICITY,
        1,
        900,
    ),
    Table(
        "slimmemeterportal_nl_15min/smp_2024_15min.csv.gz",
        "datum_tijd",
        "%d-%m-%Y %H:%M:%S %z",
        "UTC",
        _OF_SLIMME,
        ELECTRICITY,
        1,
        900,
    ),
    Table(_SIMBENCH, "time", "%d.%m.%Y %H:%M", "UTC", (), ELECTRICITY, 4 / 30, 900),
)


@dataclass(frozen=True)
class Series:
    """A series as a meter of it would send it."""

    name: str
    meter: Meter
    readings: RegisterReadings

    def looks(self) -> set[Looks]:
        """What it is taken for."""
        site = Site(number=1, id="5" * 24, name="House", timezone="Europe/Zurich")
        facts = (SiteFacts(valid_from=0, valid_to=None),)
        catalogue = SiteCatalogue(
            site=site, facts=facts, meters=(self.meter,), sensors=(), generation=1
        )
        register = REGISTERS_OF[self.meter.medium][0]
        limits = PowerLimits.of(catalogue, self.meter)
        return {
            each.looks for each in judge_character(self.meter, limits, {register: self.readings})
        }


def _instant(text: str, form: str, zone: ZoneInfo) -> int:
    if form == "unix":
        return int(text)
    if form == "iso":
        return int(dt.datetime.fromisoformat(text).timestamp())
    if form.endswith("%z"):
        return int(dt.datetime.strptime(text, form).astimezone(dt.UTC).timestamp())
    return int(dt.datetime.strptime(text, form).replace(tzinfo=zone).timestamp())


def _series_of(shared_data: Path, table: Table) -> Iterator[Series]:
    with gzip.open(shared_data / table.file, "rt", encoding="utf-8-sig", newline="") as lines:
        filled = (line for line in lines if line.strip())
        rows = list(csv.DictReader(filled, delimiter=table.delimiter))
    zone = ZoneInfo(table.zone)
    names = table.stamp.split(" ") if table.stamp == "data hora" else [table.stamp]
    if table.file.startswith("energiemanager"):
        rows = [row for row in rows if row["code"] == "ellm"]
    stamps = [_instant(" ".join(row[name] for name in names), table.form, zone) for row in rows]
    for column in table.columns or [name for name in rows[0] if name != table.stamp]:
        texts = [row.get(column, "") for row in rows]
        stamped = {
            at: float(text.replace(",", ".")) / table.units
            for at, text in zip(stamps, texts, strict=True)
            if text
        }
        if not stamped:
            continue
        meter = replace(meter_of(1, Mode.CONSUMPTION, table.medium), interval_s=table.interval_s)
        at = np.array(sorted(stamped), np.int64)
        values = np.array([round(stamped[each] * 1e6) for each in at.tolist()], np.int64)
        yield Series(f"{table.file} {column}", meter, _readings(at, values))


def _readings(stamps: NDArray[np.int64], values: NDArray[np.int64]) -> RegisterReadings:
    measured = np.full(len(stamps), Quality.MEASURED, np.uint8)
    return RegisterReadings(stamps, values, measured, np.zeros(len(stamps), np.bool_))


@pytest.fixture(scope="module")
def real_series(shared_data: Path) -> Sequence[Series]:
    return [series for table in TABLES for series in _series_of(shared_data, table)]


def test_nothing_real_is_taken_for_something_else(real_series: Sequence[Series]) -> None:
    taken = {each.name: each.looks() for each in real_series}

    assert {name: looks for name, looks in taken.items() if looks} == {}
    assert len(taken) == 90


def _wrong(series: Series, values: NDArray[np.int64], interval_s: int | None) -> Series:
    meter = replace(series.meter, interval_s=interval_s)
    return Series(series.name, meter, _readings(series.readings.stamps, values))


def _missed(series: Sequence[Series], looks: Looks) -> list[str]:
    return [each.name.split("/")[1] for each in series if looks not in each.looks()]


def _of_intervals(real_series: Sequence[Series]) -> list[Series]:
    """The series of intervals in which anything was counted."""
    return [s for s in real_series if s.meter.interval_s is not None and s.readings.values.any()]


def test_thousandths_sent_as_whole_units_are_found(real_series: Sequence[Series]) -> None:
    """Of single appliances in hours a thousandfold is still no more than can flow."""
    filled = [each for each in real_series if each.readings.values.any()]
    wrong = [_wrong(s, s.readings.values * 1000, s.meter.interval_s) for s in filled]

    missed = _missed(wrong, Looks.UNIT)

    assert (len(filled), len(missed)) == (86, 7)
    assert {name.rsplit(" ", 1)[1] for name in missed} == {"dishwasher", "freezer"}


def test_indexes_sent_to_an_interval_meter_are_found(real_series: Sequence[Series]) -> None:
    """Also those of a charger that rests most of the day: they hardly rise, and never fall."""
    filled = _of_intervals(real_series)
    wrong = [_wrong(s, np.cumsum(s.readings.values) + 10**9, s.meter.interval_s) for s in filled]

    missed = _missed(wrong, Looks.INDEX)

    assert missed == []
    assert [each.looks() for each in wrong if not each.looks()] == []


def test_intervals_sent_to_an_index_meter_are_found(real_series: Sequence[Series]) -> None:
    filled = _of_intervals(real_series)
    wrong = [_wrong(s, s.readings.values, None) for s in filled]

    assert (len(filled), _missed(wrong, Looks.INTERVALS)) == (42, [])


def test_hours_and_half_hours_sent_to_a_quarter_hour_meter_are_found(
    real_series: Sequence[Series],
) -> None:
    longer = [each for each in real_series if each.meter.interval_s in (1800, 3600)]
    wrong = [_wrong(s, s.readings.values, 900) for s in longer]

    assert (len(longer), _missed(wrong, Looks.COARSER)) == (10, [])
