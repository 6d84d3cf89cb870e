"""The client against our own server, over the whole surface."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from commonwatt.client import Address, BadRequest, Climkit, Meter, NotFound, Sensor, SignInRefused
from tests.api import building
from tests.api.conftest import PASSWORD
from tests.client.conftest import FAST

ZURICH = ZoneInfo(building.ZONE)
FIRST, END = "2026-03-21T00:00:00", "2026-03-23T00:00:00"


def test_a_site_is_listed_with_all_about_it(climkit: Climkit) -> None:
    [site] = climkit.sites()

    assert site == climkit.site(building.SITE) == climkit.site(site)
    assert (site.id, site.site_ref, site.name) == (building.SITE, "CH-0012", "Les Tilleuls 12")
    assert site.address == Address("Rue des Tilleuls", "12", "Renens", 1020)
    assert (site.latitude, site.longitude, site.timezone) == (46.53, 6.59, building.ZONE)
    assert site.creation_date == dt.date(2026, 3, 21)


def test_sites_listed_by_id_alone_are_known_by_id(address: str) -> None:
    with Climkit(address, "old", PASSWORD) as climkit:
        [site] = climkit.sites()

    assert (site.id, site.name, site.timezone) == (building.SITE, None, None)


def test_meters_bear_the_words_of_the_api(climkit: Climkit) -> None:
    meters = {meter.id: meter for meter in climkit.meters(building.SITE)}

    assert len(meters) == len(building.METERS)
    assert meters[building.GRID] == Meter(
        building.GRID, "Grid", "electricity", "introduction", 10, is_rule_meter=False
    )
    assert meters[building.COMMON].is_rule_meter
    assert [meters[known].unit for known in (building.ANNA, building.WATER)] == ["kWh", "m3"]


def test_sensors_have_a_unit(climkit: Climkit) -> None:
    assert climkit.sensors(building.SITE) == [
        Sensor(building.SENSOR, "Stairwell", "temperature", "°C", "LoRa T1")
    ]


def test_quarter_hours_begin_where_they_begin(climkit: Climkit) -> None:
    series = climkit.site_data(building.SITE, "electricity", FIRST, END)

    assert series.starts_at == [building.FIRST_AT + 900 * count for count in range(192)]
    assert series.ends_at == [start_at + 900 for start_at in series.starts_at]
    assert set(series["conso_total"]) == {0.09}
    assert (series.unit, series.timezone, series.stamps) == ("kWh", building.ZONE, "start")
    assert series.gaps() == []


def test_columns_of_meters_come_when_asked_for(climkit: Climkit) -> None:
    series = climkit.site_data(building.SITE, "electricity", FIRST, END, meters=True)

    assert set(series[f"total_{building.ANNA}"]) == {0.04}


@pytest.mark.parametrize(
    ("sampling", "starts"),
    [
        ("H", ["2026-03-21T23:00", "2026-03-22T00:00", "2026-03-22T01:00"]),
        ("D", ["2026-03-22"]),
        ("M", []),
    ],
)
def test_longer_periods_belong_to_the_window_in_which_they_begin(
    climkit: Climkit, sampling: str, starts: list[str]
) -> None:
    window = dt.datetime(2026, 3, 21, 22, 30, tzinfo=ZURICH), "2026-03-22T02:00:00+01:00"

    series = climkit.site_data(building.SITE, "electricity", *window, sampling)

    wanted = [dt.datetime.fromisoformat(start).replace(tzinfo=ZURICH) for start in starts]
    assert [row.start for row in series] == wanted
    energy = {"H": 0.36, "D": 8.64, "M": 0.0}[sampling]
    assert series["conso_total"] == [energy] * len(starts)


def test_a_month_is_the_sites_own(climkit: Climkit) -> None:
    series = climkit.site_data(building.SITE, "cold_water", "2026-03-01", "2026-04-01", "M")

    [row] = series
    assert (row.start, row.end) == (
        dt.datetime(2026, 3, 1, tzinfo=ZURICH),
        dt.datetime(2026, 4, 1, tzinfo=ZURICH),
    )
    # The rule meter measures the same water once more.
    assert (row.values, series.unit) == ({"conso_total": 2 * 192 * 0.007}, "m3")


def test_a_consumer_has_its_own_share(climkit: Climkit) -> None:
    series = climkit.meter_data(building.SITE, building.ANNA, FIRST, END)

    assert list(series.columns) == ["total", "self", "ext"]
    assert set(series["total"]) == {0.04}
    assert all(
        round(own + ext, 3) == 0.04  # type: ignore[operator]  # no quarter is missing
        for own, ext in zip(series["self"], series["ext"], strict=True)
    )


@pytest.mark.parametrize(
    ("meter", "unit"), [(building.WATER, "m3"), (building.HEAT, "kWh"), (building.GRID, "kWh")]
)
def test_a_meter_by_id_has_its_unit(climkit: Climkit, meter: str, unit: str) -> None:
    assert climkit.meter_data(building.SITE, meter, FIRST, END).unit == unit


def test_readings_are_those_in_the_window(climkit: Climkit) -> None:
    series = climkit.meter_data_raw(building.SITE, building.BATTERY, FIRST, "2026-03-21T00:30")

    assert series.starts_at == series.ends_at == [building.FIRST_AT, building.FIRST_AT + 900]
    assert series.columns == {"en_im": [1.0, 1.005], "en_ex": [1.0, 1.002]}
    assert (series.stamps, series.sampling, series.unit) == ("instant", None, "kWh")


def test_without_a_window_the_latest_reading_comes(climkit: Climkit) -> None:
    assert climkit.meter_data_raw(building.SITE, building.WATER).starts_at == [building.LAST_AT]


def test_a_sensors_values_have_its_unit(climkit: Climkit) -> None:
    [sensor] = climkit.sensors(building.SITE)

    series = climkit.sensor_data(building.SITE, sensor, FIRST, END)

    assert list(zip(series.starts_at, series["value"], strict=True)) == building.SENSOR_VALUES
    assert series.unit == "°C"
    assert climkit.sensor_data(building.SITE, sensor)["value"] == [21.5]


def test_what_was_not_measured_is_a_gap_and_not_zero(climkit: Climkit) -> None:
    series = climkit.site_data(building.SITE, "heating", "2026-03-21", "2026-03-24", "15T")

    first, last = series.gaps()
    assert (first.start, first.end) == (
        dt.datetime(2026, 3, 21, tzinfo=ZURICH),
        dt.datetime(2026, 3, 21, 1, tzinfo=ZURICH),
    )
    assert (last.start, last.end) == (
        dt.datetime(2026, 3, 23, 1, tzinfo=ZURICH),
        dt.datetime(2026, 3, 24, tzinfo=ZURICH),
    )


def test_what_is_still_to_come_is_no_gap(climkit: Climkit) -> None:
    now = dt.datetime.now(dt.UTC)
    series = climkit.site_data(
        building.SITE, "heating", now - dt.timedelta(hours=2), now + dt.timedelta(days=2)
    )

    [gap] = series.gaps()
    assert now - dt.timedelta(minutes=15) <= gap.end <= dt.datetime.now(dt.UTC)


def test_a_wrong_password_is_refused(address: str) -> None:
    with Climkit(address, "reader", "wrong") as climkit, pytest.raises(SignInRefused):
        climkit.sites()


@pytest.mark.parametrize("site", [building.NEIGHBOUR, building.UNKNOWN_ID, "../auth"])
def test_a_site_not_granted_is_not_found(climkit: Climkit, site: str) -> None:
    with pytest.raises(NotFound):
        climkit.site_data(site, "electricity")


def test_a_closed_meter_is_not_found(address: str) -> None:
    with (
        Climkit(address, "narrow", PASSWORD, requests_per_second=FAST) as climkit,
        pytest.raises(NotFound),
    ):
        climkit.meter_data(building.SITE, building.BERT, FIRST, END)


def test_a_rule_meter_has_no_readings_and_the_server_says_why(climkit: Climkit) -> None:
    with pytest.raises(BadRequest, match="computed by a rule") as caught:
        climkit.meter_data_raw(building.SITE, building.COMMON)

    assert (caught.value.status, caught.value.problem["status"]) == (409, 409)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("electricty",), "must be one of electricity"),
        (("electricity", None, None, "1h"), "must be one of 15T"),
        (("electricity", "yesterday"), "is no time"),
        (("electricity", "2026-03-22", "2026-03-21"), "must not be after"),
        (("electricity", "0001-01-01", "2026-03-21"), "must not be before 1970"),
    ],
)
def test_wrong_arguments_are_told_without_asking_the_server(
    climkit: Climkit, arguments: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        climkit.site_data(building.SITE, *arguments)
