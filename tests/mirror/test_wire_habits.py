"""Sites as servers of other years and of other makers have them."""

import datetime as dt
import re
import time

import numpy as np
import pytest

from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.declaring.apply import apply_declaration
from commonwatt.app.reference.compare import compare_reference
from commonwatt.app.series.read import read_meter_series
from commonwatt.domain.metering.catalogue import Meter, Mode
from commonwatt.domain.metering.quality import exists
from commonwatt.formats.declaration.yaml import declaration_from_yaml
from commonwatt.mirror.target import CannotMirror
from tests.client.scripted import Asked, Reply
from tests.mirror.copying import catalogue, copy, notes
from tests.mirror.wire_site import (
    DAY_S,
    FIRST_AT,
    SITE,
    Rows,
    WireMeter,
    copy_from,
    every,
    meter_id,
    server_of,
)

DAY = 96
INDEXES = every(900, 2 * DAY + 1, lambda n: {"en_im": 100 + n / 100})
TOTALS = every(900, 2 * DAY, lambda _n: {"total": 0.01}, FIRST_AT + 900)


def meters_of(store: SqlStore) -> dict[str, Meter]:
    """The meters that are declared, by name."""
    return {each.name: each for each in catalogue(store, SITE).meters}


def totals_of(store: SqlStore, name: str, quarters: int = 2 * DAY) -> list[int | None]:
    """What is answered of a meter from FIRST_AT on [Wh], None where it is missing."""
    site = catalogue(store, SITE)
    first = FIRST_AT // 900
    with store.snapshot() as snapshot:
        series = read_meter_series(snapshot, site, meters_of(store)[name], first, first + quarters)
    known = exists(series.quality_total)
    return [int(each) if here else None for each, here in zip(series.total, known, strict=True)]


def test_addresses_that_are_text_missing_no_number_or_taken_twice(store: SqlStore) -> None:
    copied = copy_from(
        server_of(
            [
                WireMeter(1, {"prim_ad": "11"}, INDEXES),
                WireMeter(2, {"prim_ad": 11}, INDEXES),
                WireMeter(3, {"prim_ad": "A-7"}, INDEXES),
                WireMeter(4, {"prim_ad": "absent"}, INDEXES),
                WireMeter(5, {"prim_ad": -3}, INDEXES),
                WireMeter(6, {"prim_ad": 11, "type": "charge_point"}, INDEXES),
            ]
        ),
        store,
    )

    found = {name: meter.prim_ad for name, meter in meters_of(store).items()}
    assert found == {
        "Meter 1": 11,
        "Meter 2": 900,
        "Meter 3": 901,
        "Meter 4": 902,
        "Meter 5": 903,
        "Meter 6": 11,
    }
    assert notes(copied) == [
        "Meter 2: its prim_ad 11 is that of Meter 1 too; a free one is taken",
        "Meter 3: its prim_ad 'A-7' is no number; a free one is taken",
        "Meter 4: has no prim_ad; a free one is taken",
        "Meter 5: its prim_ad -3 is no address; a free one is taken",
    ]


def test_a_new_meter_takes_no_address_that_another_has_here(store: SqlStore) -> None:
    old = WireMeter(1, {"prim_ad": None}, INDEXES)
    copy_from(server_of([old]), store)

    copied = copy_from(server_of([old, WireMeter(2, {"prim_ad": 900}, INDEXES)]), store)

    assert {each.prim_ad for each in meters_of(store).values()} == {900, 901}
    assert notes(copied) == [
        "Meter 2: its prim_ad 900 is that of Meter 1 here; a free one is taken"
    ]


def test_one_that_cannot_give_up_its_address_keeps_others_from_it(store: SqlStore) -> None:
    """The third is of another origin; so the second stays, and the first does too."""
    both = [WireMeter(1, {"prim_ad": 11}, INDEXES), WireMeter(2, {"prim_ad": 12}, INDEXES)]
    copy_from(server_of(both), store)
    text = f"""
    site: {{id: {SITE}, name: Site, timezone: Europe/Zurich}}
    meters: [{{name: Mine, type: electricity, mode: consumption, prim_ad: 13}}]
    """
    apply_declaration(store, declaration_from_yaml(text.encode()), "me", int(time.time()))
    moved = [WireMeter(1, {"prim_ad": 12}, INDEXES), WireMeter(2, {"prim_ad": 13}, INDEXES)]

    copy_from(server_of(moved), store)

    prim_ads = {name: each.prim_ad for name, each in meters_of(store).items()}
    assert prim_ads == {"Meter 1": 11, "Meter 2": 12, "Mine": 13}


@pytest.mark.parametrize(
    ("said", "note"),
    [
        ({"type": "reactive"}, "its type 'reactive' is none of electricity, heating, "),
        ({"type": "absent"}, "the server does not say its type; declare it with the id "),
        ({"mode": "standby"}, "its mode 'standby' is none of consumption, introduction, "),
        (
            {"mode": "absent"},
            f"the server does not say its mode; declare it with the id {meter_id(1)}",
        ),
        ({"type": "cold_water", "mode": "production"}, "production is a mode of electricity, not"),
    ],
)
def test_a_meter_that_cannot_be_declared_is_left_out_and_that_is_said(
    store: SqlStore, said: dict[str, object], note: str
) -> None:
    other = WireMeter(2, {}, INDEXES)

    copied = copy_from(server_of([WireMeter(1, said, INDEXES), other]), store)

    assert [*meters_of(store)] == ["Meter 2"]
    [said_note] = notes(copied)
    assert said_note.startswith(f"Meter 1: left out: {note}")
    assert not copied.failed


def test_a_server_of_2022_tells_neither_names_nor_modes(store: SqlStore) -> None:
    """So they are declared here first, by the ids that it tells; all else is copied."""
    absent = {"name": "absent", "mode": "absent", "is_rule_meter": "absent", "prim_ad": "11"}
    grid = {**absent, "prim_ad": "10", "virtual": False}
    no_mode = "the server does not say its mode; declare it with the id"
    server = server_of(
        [WireMeter(1, absent, INDEXES, TOTALS), WireMeter(2, grid, INDEXES, TOTALS)],
        infos={"address": {"city_name": "Renens", "city_ref": 1020}},
        more={f"/{SITE}/sensors_list": Reply({"detail": "no such page"}, 404)},
    )
    text = f"""
    site: {{id: {SITE}, name: Site, timezone: Europe/Zurich}}
    meters:
      - {{id: {meter_id(1)}, name: Flat, type: electricity, mode: consumption}}
    """
    apply_declaration(store, declaration_from_yaml(text.encode()), "me", int(time.time()))

    copied = copy_from(server, store)

    site = catalogue(store, SITE)
    assert (site.site.city, site.site.postal_code) == ("Renens", "1020")
    assert {each.name: each.prim_ad for each in site.meters} == {"Flat": 11}
    assert totals_of(store, "Flat") == [10] * 2 * DAY
    assert notes(copied) == [
        "sensors: the server lists none for this account",
        f"electricity 10: left out: {no_mode} {meter_id(2)}",
    ]


def test_a_meter_without_readings_is_fed_from_its_totals(store: SqlStore) -> None:
    copied = copy_from(
        server_of(
            [
                WireMeter(1, {}, {}, TOTALS),
                WireMeter(2, {}, Reply({"detail": "no"}, 400), TOTALS),
                WireMeter(3, {"virtual": True, "is_rule_meter": "absent"}, {}, TOTALS),
                WireMeter(4, {"mode": "production"}, {}, TOTALS),
                WireMeter(5),
                WireMeter(6, {"is_rule_meter": True}),
            ]
        ),
        store,
    )

    meters = meters_of(store)
    assert {name: each.interval_s for name, each in meters.items()} == dict.fromkeys(
        ("Meter 1", "Meter 2", "Meter 3", "Meter 4"), 900
    )
    assert meters["Meter 4"].current.mode is Mode.PRODUCTION
    for name in meters:
        assert totals_of(store, name) == [10] * 2 * DAY
    none = "fed from validated totals: the server has no readings of it"
    assert notes(copied) == [
        "Meter 5: left out until the server has data of it",
        "Meter 6: left out until the server has data of it",
        f"Meter 1: {none}",
        f"Meter 2: {none}",
        "Meter 3: fed from validated totals: a rule meter, and the API does not tell its rule",
        f"Meter 4: {none}",
    ]


def test_a_meter_keeps_its_kind_whatever_the_server_has_of_it_later(store: SqlStore) -> None:
    copy_from(server_of([WireMeter(1, {}, {}, TOTALS), WireMeter(2, {}, INDEXES)]), store)

    copied = copy_from(
        server_of(
            [WireMeter(1, {}, INDEXES, TOTALS), WireMeter(2, {"is_rule_meter": True}, {}, TOTALS)]
        ),
        store,
    )

    assert [each.interval_s for each in meters_of(store).values()] == [900, None]
    assert copied.readings == 0
    assert notes(copied) == [
        "Meter 1: fed from validated totals as before, though it has readings of another kind now",
        "Meter 2: an index meter here, a rule meter there: kept as reference only",
    ]


def test_a_meter_is_copied_as_soon_as_it_has_data(store: SqlStore) -> None:
    copy_from(server_of([WireMeter(1)]), store)
    assert meters_of(store) == {}

    copied = copy_from(server_of([WireMeter(1, {}, INDEXES, TOTALS)]), store)

    assert copied.readings == len(INDEXES)
    assert totals_of(store, "Meter 1") == [10] * 2 * DAY


def test_totals_below_zero_are_zero_here_and_themselves_in_the_reference(store: SqlStore) -> None:
    values = [0.01, -0.01, 0.5, -0.002, 0.0]
    totals = every(900, 5, lambda n: {"total": values[n]}, FIRST_AT + 900)

    copy_from(server_of([WireMeter(1, {"is_rule_meter": True}, {}, totals)]), store)

    assert totals_of(store, "Meter 1", 6) == [10, 0, 500, 0, 0, None]
    [month] = compare_reference(store, catalogue(store, SITE).site.number)
    assert (month.series["total"].theirs, month.series["total"].differing) == (498_000, 2)


def test_energy_of_quarter_hours_as_readings_makes_an_interval_meter(store: SqlStore) -> None:
    """As grid operators deliver it: no index, but what flowed in each quarter-hour."""
    chance = np.random.default_rng(7)
    flows = (chance.integers(0, 900, 4 * DAY) / 1000).tolist()
    curve = every(900, 4 * DAY, lambda n: {"en_im": flows[n], "en_ex": 0.001}, FIRST_AT + 900)

    copied = copy_from(server_of([WireMeter(1, {"mode": "introduction"}, curve)]), store)

    assert meters_of(store)["Meter 1"].interval_s == 900
    assert totals_of(store, "Meter 1", 4 * DAY) == [round(1000 * each) for each in flows]
    assert (copied.readings, notes(copied)) == (4 * DAY, [])


def test_quarter_hours_without_readings_are_kept_as_reference_and_said(store: SqlStore) -> None:
    late_at = FIRST_AT + 33 * 86_400
    late = every(900, DAY + 1, lambda n: {"en_im": 100 + n / 100}, late_at)
    totals = {**TOTALS, **every(900, DAY, lambda _n: {"total": 0.01}, late_at + 900)}

    copied = copy_from(server_of([WireMeter(1, {}, late, totals)]), store)

    [note] = notes(copied)
    assert note.startswith("Meter 1: 2026-10 to 2026-10: 192 quarter-hours without readings are ")
    assert (copied.readings, copied.quarters) == (DAY + 1, 3 * DAY)
    assert totals_of(store, "Meter 1") == [None] * 2 * DAY
    october, november = compare_reference(store, catalogue(store, SITE).site.number)
    assert (october.series["total"].only_theirs, {*october.reasons}) == (2 * DAY, {"no_readings"})
    assert november.series["total"].is_equal


def test_a_consumer_without_a_part_in_the_sun_is_no_member_of_the_balance(store: SqlStore) -> None:
    shared = {at: {**row, "self": 0.004, "ext": 0.006} for at, row in TOTALS.items()}

    copied = copy_from(
        server_of([WireMeter(1, {}, INDEXES, shared), WireMeter(2, {}, INDEXES, TOTALS)]), store
    )

    balance = {name: each.current.balance for name, each in meters_of(store).items()}
    assert balance == {"Meter 1": True, "Meter 2": False}
    assert notes(copied) == [
        "Meter 2: no member of the balance there, so none here (balance: false)"
    ]


def test_values_that_are_no_index_are_rejected_and_that_is_said(store: SqlStore) -> None:
    raw = {**INDEXES, FIRST_AT + 900: {"en_im": -4.0}, FIRST_AT + 1800: {"en_im": None}}

    copied = copy_from(server_of([WireMeter(1, {}, raw, TOTALS)]), store)

    assert copied.readings == len(INDEXES) - 2
    [note] = notes(copied)
    assert note.startswith("Meter 1: 1 readings rejected: en_im: -4.0 is negative; an index is a ")


def test_other_registers_are_left_alone(store: SqlStore) -> None:
    said = {"type": "heating", "prim_ad": 1}
    raw = every(900, 5, lambda n: {"heat_energy_kwh": n, "power_kw": 4.0, "flow_temp": 45.5})

    copied = copy_from(server_of([WireMeter(1, said, raw)]), store)

    assert (copied.readings, notes(copied)) == (5, [])
    assert totals_of(store, "Meter 1", 4) == [1000] * 4


def test_a_meter_that_is_refused_halfway_is_said_and_the_others_go_on(store: SqlStore) -> None:
    server = server_of([WireMeter(1, {}, INDEXES, TOTALS), WireMeter(2, {}, INDEXES, TOTALS)])
    copy_from(server, store)
    closed = WireMeter(1, {}, Reply({}, 403), Reply({}, 403))

    copied = copy_from(server_of([closed, WireMeter(2, {}, INDEXES, TOTALS)]), store)

    assert notes(copied) == ["Meter 1: this account may not read it"]
    assert not copied.failed


def test_an_answer_that_is_none_ends_a_meter_not_the_run(store: SqlStore) -> None:
    server = server_of([WireMeter(1, {}, INDEXES), WireMeter(2, {}, INDEXES, TOTALS)])
    copy_from(server, store)
    broken = WireMeter(1, {}, INDEXES, Reply({"oops": 1}))
    new = {**INDEXES, int(time.time()) - 900: {"en_im": 500.0}}

    copied = copy_from(server_of([broken, WireMeter(2, {}, new, TOTALS)]), store)

    assert (copied.failed, copied.readings) == (True, 1)
    [note] = notes(copied)
    assert re.match(r"Meter 1: not copied from \d{4}-\d\d on: ", note)
    assert "a list should have come" in note


def test_an_interval_meter_whose_readings_are_no_answer_is_still_fed(store: SqlStore) -> None:
    rule = {"is_rule_meter": True}
    copy_from(server_of([WireMeter(1, rule, {}, TOTALS)]), store)
    more = {**TOTALS, int(time.time()) // 900 * 900: {"total": 0.02}}

    copied = copy_from(server_of([WireMeter(1, {}, Reply({"oops": 1}), more)]), store)

    assert (copied.readings, copied.failed) == (1, False)


def test_what_the_server_lists_no_more_stays_and_is_said(store: SqlStore) -> None:
    both = [WireMeter(1, {}, INDEXES, TOTALS), WireMeter(2, {}, INDEXES, TOTALS)]
    copy_from(server_of(both), store)

    copied = copy_from(server_of(both[1:]), store)

    assert notes(copied) == [
        "Meter 1: the server lists it no more; what was copied stays",
        "Meter 1: if it was taken out, declare its removed_at",
    ]
    assert totals_of(store, "Meter 1") == [10] * 2 * DAY


def test_what_is_listed_twice_is_copied_once(store: SqlStore) -> None:
    meter, sensor = WireMeter(1, {}, INDEXES, TOTALS), {"id": "61dfcb4beba4e3563fdf00c8"}

    copied = copy_from(server_of([meter, meter], sensors=[sensor, sensor]), store)

    assert (copied.meters, copied.sensors, copied.readings) == (1, 1, len(INDEXES))


@pytest.mark.parametrize("creation_date", [None, "2100-01-01T00:00:00"])
def test_a_site_without_a_past_creation_is_copied_from_its_first_month(
    store: SqlStore, creation_date: str | None
) -> None:
    infos = {"creation_date": creation_date}
    server = server_of([WireMeter(1, {}, INDEXES, TOTALS)], infos=infos)

    copied = copy_from(server, store)

    assert copied.readings == len(INDEXES)
    # The month of the first data and those after it, not the years before.
    assert server.count(f"/meter_data/{SITE}/{meter_id(1)}") < 30


def test_a_site_without_a_zone_has_to_be_declared_here_first(store: SqlStore) -> None:
    server = server_of([WireMeter(1, {}, INDEXES, TOTALS)], infos={"timezone": None})

    with pytest.raises(CannotMirror, match="does not say the time zone"):
        copy_from(server, store)

    text = f"site: {{id: {SITE}, name: Site, timezone: Europe/Zurich}}"
    apply_declaration(store, declaration_from_yaml(text.encode()), "me", int(time.time()))
    assert copy_from(server, store).readings == len(INDEXES)


def test_a_reference_that_another_site_has_here_is_told(store: SqlStore) -> None:
    text = "site: {site_ref: CH-1, name: Other, timezone: UTC}"
    apply_declaration(store, declaration_from_yaml(text.encode()), "me", int(time.time()))

    with pytest.raises(CannotMirror, match=r"site_ref: CH-1 is that of the site .*, Other"):
        copy_from(server_of([], infos={"site_ref": "CH-1"}), store)


def test_sensors_in_seconds_or_milliseconds(store: SqlStore) -> None:
    ids = ["61dfcb4beba4e3563fdf00c8", "61dfcb4beba4e3563fdf00c9"]
    rows = [
        {"timestamp": FIRST_AT + 60, "value": 20.5},
        {"timestamp": FIRST_AT + 120, "value": None},
    ]
    thousand = [{"timestamp": 1000 * (FIRST_AT + 60), "value": 1}]
    server = server_of(
        [],
        sensors=[{"id": ids[0], "name": "Stairs", "unit": "°C"}, {"id": ids[1]}],
        more={
            f"/{SITE}/sensor_data/{ids[0]}": Reply(rows),
            f"/{SITE}/sensor_data/{ids[1]}": Reply(thousand),
        },
    )

    copied = copy_from(server, store)

    assert (copied.sensors, copied.sensor_values) == (2, 2)
    site = catalogue(store, SITE)
    assert [(each.name, each.unit) for each in site.sensors] == [("Stairs", "°C"), (ids[1], "")]
    with store.snapshot() as snapshot:
        values = [
            snapshot.sensors.sensor_values(site.site.number, each.number, 0, 30_000)
            for each in site.sensors
        ]
    assert [each.stamps.tolist() for each in values] == [[FIRST_AT + 60]] * 2
    assert [each.values.tolist() for each in values] == [[20.5], [1.0]]


def test_an_account_of_one_site_copies_no_other(store: SqlStore) -> None:
    server = server_of([WireMeter(1, {}, INDEXES, TOTALS)])
    with server.running() as address:
        copy(address, store, SITE)

    assert {path.split("/")[-1] for path in server.paths()} <= {
        SITE,
        meter_id(1),
        "auth",
        "sensors_list",
    }


def late_at_the_server(quarters: int) -> Rows:
    """Totals that are right up to a day ago and a bit, then holes and what was not all there.

    The bit is for a run that begins in the next quarter-hour.
    """
    now_at = int(time.time()) // 900 * 900
    first_at = now_at - 900 * quarters
    totals = every(900, quarters - DAY + 2, lambda _n: {"total": 0.01}, first_at + 900)
    recent = every(900, DAY - 10, lambda n: {"total": 0.01 * (n % 3)}, now_at - DAY_S + 3 * 900)
    return {**totals, **{at: row for at, row in recent.items() if at // 900 % 7}}


def test_what_is_not_validated_yet_is_no_difference(store: SqlStore) -> None:
    """Quarter-hours are validated some while after the readings came, in any order."""
    quarters = DAY + 20
    first_at = int(time.time()) // 900 * 900 - 900 * quarters
    raw = every(900, quarters + 1, lambda n: {"en_im": n / 100}, first_at)
    grid = {"mode": "introduction"}

    copy_from(server_of([WireMeter(1, grid, raw, late_at_the_server(quarters))]), store)

    months = compare_reference(store, catalogue(store, SITE).site.number)
    assert [each for each in months if not each.is_equal] == []
    assert sum(each.series["total"].both for each in months) in {20, 21}


def test_what_the_server_lacks_after_a_day_is_a_difference(store: SqlStore) -> None:
    first_at = int(time.time()) // 900 * 900 - 900 * (DAY + 20)
    raw = every(900, DAY + 21, lambda n: {"en_im": n / 100}, first_at)
    totals = every(900, 15, lambda _n: {"total": 0.01}, first_at + 900)

    copy_from(server_of([WireMeter(1, {"mode": "introduction"}, raw, totals)]), store)

    months = compare_reference(store, catalogue(store, SITE).site.number)
    assert sum(each.series["total"].only_ours for each in months) in {5, 6}


def test_a_grid_meter_without_readings_has_its_other_direction_from_the_books(
    store: SqlStore,
) -> None:
    books = [
        {"conso_total": 0.02, "from_ext": 0.01, "to_ext": n / 1000, "timestamp": FIRST_AT + 900 * n}
        for n in range(1, 2 * DAY)
    ]
    grid = WireMeter(1, {"mode": "introduction"}, {}, TOTALS)

    copy_from(server_of([grid], more={f"/site_data/{SITE}/electricity": Reply(books)}), store)

    site = catalogue(store, SITE)
    with store.snapshot() as snapshot:
        stored = snapshot.readings.readings(site.site.number, [1], 0, 30_000)[1]
    assert {register.value: column.tolist() for register, column in stored.values.items()} == {
        "en_im": [10_000] * 2 * DAY,
        "en_ex": [*(1000 * n for n in range(1, 2 * DAY)), -1],
    }


def test_a_server_that_cannot_sum_months_is_asked_for_quarter_hours(store: SqlStore) -> None:
    last_at = int(time.time()) // 900 * 900
    rows = [{"total": 0.01, "timestamp": at} for at in (*TOTALS, last_at)]

    def quarter_hours_alone(asked: Asked) -> Reply:
        if asked.fields["sampling_frequency"] == "M":
            return Reply({"detail": "no such frequency"}, 400)
        return Reply(rows)

    path = f"/meter_data/{SITE}/{meter_id(1)}"
    copied = copy_from(server_of([WireMeter(1)], more={path: quarter_hours_alone}), store)

    assert (copied.meters, copied.failed) == (1, False)
    assert totals_of(store, "Meter 1") == [10] * 2 * DAY


def test_values_that_are_far_more_than_what_flowed_are_no_energy(store: SqlStore) -> None:
    """Two devices at one address: they fall at every other step, and are indexes."""
    both = every(900, 2 * DAY, lambda n: {"en_im": 100.0 + 50 * (n % 2) + n / 100})
    month = every(900, 1, lambda _n: {"total": 2.0})

    copy_from(server_of([WireMeter(1, {}, both, month)]), store)

    assert meters_of(store)["Meter 1"].interval_s is None


def test_what_two_meters_may_have_fed_in_is_given_to_neither(store: SqlStore) -> None:
    """Also where the account has no right to one of them."""
    books = [{"conso_total": 0.02, "to_ext": 1.0, "timestamp": at} for at in TOTALS]
    grid = WireMeter(1, {"mode": "introduction"}, {}, TOTALS)
    closed = WireMeter(2, {"mode": "introduction"}, Reply({}, 403), Reply({}, 403))

    copy_from(
        server_of([grid, closed], more={f"/site_data/{SITE}/electricity": Reply(books)}), store
    )

    with store.snapshot() as snapshot:
        number = catalogue(store, SITE).site.number
        stored = snapshot.readings.readings(number, [1], 0, 30_000)[1]
    assert {register.value for register in stored.values} == {"en_im"}


def test_a_later_first_day_leaves_no_hole_before_it(store: SqlStore) -> None:
    """Refused from November on, a meter is asked for since then, whatever first day is wished."""
    november_at = FIRST_AT + 31 * DAY_S + 3600
    path = f"/meter_data/{SITE}/{meter_id(1)}"

    def october_alone(asked: Asked) -> Reply:
        if asked.fields["sampling_frequency"] == "M":
            return Reply([])
        if asked.fields["t_e"] > "2026-11-02":
            return Reply({}, 403)
        return Reply([{**row, "timestamp": at} for at, row in TOTALS.items()])

    copy_from(server_of([WireMeter(1, {}, INDEXES)], more={path: october_alone}), store)
    later = every(900, DAY, lambda n: {"en_im": 110 + n / 100}, november_at + 5 * DAY_S)
    yesterday = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)

    with server_of([WireMeter(1, {}, {**INDEXES, **later}, TOTALS)]).running() as address:
        copied = copy(address, store, SITE, since=yesterday)

    assert copied.readings == DAY


def test_what_a_silent_meter_kept_is_copied_when_it_comes_back(store: SqlStore) -> None:
    first_at = int(time.time()) // DAY_S * DAY_S - 30 * DAY_S
    raw = every(900, 29 * DAY, lambda n: {"en_im": 100 + n / 100}, first_at)
    before = {at: row for at, row in raw.items() if at < first_at + 10 * DAY_S}
    copy_from(server_of([WireMeter(1, {}, before)]), store)

    copied = copy_from(server_of([WireMeter(1, {}, raw)]), store)

    assert copied.readings == 19 * DAY


@pytest.mark.parametrize("off_s", [0, 100])
def test_the_first_quarter_hour_after_a_first_day_is_known(store: SqlStore, off_s: int) -> None:
    """It begins between two readings, of which one comes before the day."""
    raw = every(900, 2 * DAY + 2, lambda n: {"en_im": 100 + n / 100}, FIRST_AT - 900 + off_s)

    with server_of([WireMeter(1, {}, raw, TOTALS)]).running() as address:
        copy(address, store, SITE, since=dt.date(2026, 10, 2))

    [month] = compare_reference(store, catalogue(store, SITE).site.number)
    total = month.series["total"]
    assert (total.both, total.only_theirs, total.only_ours) == (DAY, 0, 0)
