"""Servers with one fault each, and the check that finds it."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from tests.conformance import building
from tests.conformance.breakable import Answered, Ask, Asked, Fault
from tests.conformance.faults import (
    QUARTER,
    Change,
    Row,
    _first,
    added,
    another_token,
    answers_for,
    at_period_end,
    dropped,
    each,
    ends_later,
    first_twice,
    instant,
    latest_is_first,
    moved,
    needs_start,
    of_meter,
    on_content,
    on_question,
    on_rows,
    on_status,
    one_ulp_off,
    read_as_local,
    scaled,
    second_time_dropped,
    setting,
    shifted_period,
    swapped,
    takes_any_password,
    tells_future,
    unrepeatable,
    utc_days,
    web_token,
    winter_offset,
    without,
    without_last_edge,
)


@dataclass(frozen=True)
class Broken:
    """A broken server: what is wrong with it, and the one check that must fail."""

    name: str
    check: str
    fault: Fault


def broken_servers() -> Iterator[Broken]:
    """All of them; a fault of both validated series is shown at one of the two."""
    yield from _sign_in()
    yield from _lists()
    yield from _stamps_and_sums()
    yield from _rows()
    yield from _kinds()
    yield from _periods()
    yield from _readings()
    yield from _access()


def _sign_in() -> Iterator[Broken]:
    def auth(change: Callable[[Row], Row]) -> Fault:
        return on_content("auth", change)

    def in_seconds(content: Row) -> Row:
        end = content["valid_until"]
        assert isinstance(end, dict)
        return {**content, "valid_until": {"$date": end["$date"] // 1000}}

    def iso(content: Row) -> Row:
        return {**content, "valid_until": "2026-03-22T05:30:00"}

    def no_token(content: Row) -> Row:
        return {"token": content["access_token"], "valid_until": content["valid_until"]}

    def no_end(content: Row) -> Row:
        return {"access_token": content["access_token"]}

    yield Broken("no access_token", "auth.answer", auth(no_token))
    yield Broken("no valid_until", "auth.valid_until", auth(no_end))
    yield Broken("valid_until without $date", "auth.valid_until", auth(iso))
    yield Broken("valid_until in seconds", "auth.valid_until", auth(in_seconds))
    yield Broken(
        "tokens for an hour", "auth.15_minutes", another_token(ends_later(2700), web_token)
    )
    yield Broken("token ends before it says", "auth.web_token", auth(ends_later(60)))
    opaque = another_token(lambda content: content, lambda _content: "0123456789abcdef")
    yield Broken("opaque token", "auth.web_token", opaque)
    yield Broken("any password", "auth.wrong_password", takes_any_password())


def _lists() -> Iterator[Broken]:
    def rows(route: str, change: Change) -> Fault:
        return on_rows(route, change)

    def address(content: Row, **new: object) -> Row:
        old = content["address"]
        assert isinstance(old, dict)
        return {**content, "address": {**old, **new}}

    infos = "installation_infos"

    async def bare(asked: Asked, ask: Ask) -> Answered:
        answered = await ask(asked)
        listed = asked.route == "all_installations" and answered.status == 200
        return answered.saying([row["id"] for row in answered.rows]) if listed else answered

    yield Broken("bare ids", "all_installations.list", bare)
    yield Broken(
        "sites without id", "all_installations.ids", rows("all_installations", without("id"))
    )
    yield Broken("a site twice", "all_installations.ids", rows("all_installations", first_twice))
    yield Broken("infos are a list", f"{infos}.object", on_content(infos, lambda c: [c]))  # type: ignore[arg-type,return-value]  # broken
    yield Broken("no site_ref", f"{infos}.keys", on_content(infos, lambda c: _less(c, "site_ref")))
    yield Broken(
        "city_name as in 2022",
        f"{infos}.keys",
        on_content(infos, lambda c: {**c, "address": {"city_name": "Renens", "city_ref": 7}}),
    )
    yield Broken(
        "latitude is a text", f"{infos}.types", on_content(infos, lambda c: {**c, "latitude": "46"})
    )
    yield Broken(
        "postal_code is null",
        f"{infos}.types",
        on_content(infos, lambda c: address(c, postal_code=None)),
    )
    yield Broken(
        "date of another country",
        f"{infos}.creation_date",
        on_content(infos, lambda c: {**c, "creation_date": "5.5.2022"}),
    )
    yield Broken(
        "no IANA zone", f"{infos}.timezone", on_content(infos, lambda c: {**c, "timezone": "MEZ"})
    )

    async def wrapped(asked: Asked, ask: Ask) -> Answered:
        answered = await ask(asked)
        return (
            answered.saying({"meters": answered.rows}) if asked.route == "meter_info" else answered
        )

    yield Broken("meters in an object", "meter_info.list", _only_good(wrapped))
    yield Broken("meters without mode", "meter_info.keys", rows("meter_info", without("mode")))
    yield Broken("prim_ad is a text", "meter_info.types", rows("meter_info", each(_text_prim_ad)))
    yield Broken("type power", "meter_info.words", rows("meter_info", _a_power_meter))
    yield Broken("a meter twice", "meter_info.unique", rows("meter_info", first_twice))

    async def refused(asked: Asked, ask: Ask) -> Answered:
        answered = await ask(asked)
        good = asked.route == "sensors_list" and answered.status == 200
        return Answered(404, "{}") if good else answered

    yield Broken("no sensors_list", "sensors_list.list", refused)
    yield Broken("sensors without unit", "sensors_list.keys", rows("sensors_list", without("unit")))
    yield Broken("a sensor twice", "sensors_list.unique", rows("sensors_list", first_twice))


def _only_good(fault: Fault) -> Fault:
    """The fault where the real server answers well."""

    async def good(asked: Asked, ask: Ask) -> Answered:
        answered = await ask(asked)
        return await fault(asked, ask) if answered.status == 200 else answered

    return good


def _less(content: Row, key: str) -> Row:
    return {name: value for name, value in content.items() if name != key}


def _text_prim_ad(row: Row) -> Row:
    return {**row, "prim_ad": str(row["prim_ad"])}


def _a_power_meter(rows: list[Row]) -> list[Row]:
    return [*rows[:-1], {**rows[-1], "type": "power"}]


def _stamps_and_sums() -> Iterator[Broken]:
    site, meter = "site_data", "meter_data"
    starts = moved(-QUARTER)
    yield Broken("15T stamps the start", f"{site}.15T_end", on_rows(site, starts, "15T"))
    yield Broken("15T stamps the start", f"{meter}.15T_end", on_rows(meter, starts, "15T"))
    hour_end = moved(timedelta(hours=1))
    yield Broken("H stamps the end", f"{site}.H_start", on_rows(site, hour_end, "H"))
    for route, frequency in ((meter, "D"), (site, "D"), (meter, "M"), (site, "Y")):
        fault = on_rows(route, at_period_end(frequency), frequency)
        yield Broken(f"{frequency} stamps the end", f"{route}.{frequency}_start", fault)
    six = moved(timedelta(hours=6))
    yield Broken("M stamps 6 o'clock", f"{site}.M_start", on_rows(site, six, "M"))
    for route, frequency in ((site, "H"), (meter, "D"), (site, "M"), (meter, "Y")):
        key = "conso_total" if route == site else "total"
        fault = on_rows(route, added(key, 0.001), frequency)
        yield Broken(f"{frequency} is 1 Wh off", f"{route}.{frequency}_sum", fault)
        fault = on_rows(route, added("self", 100), frequency)
        yield Broken(f"self at {frequency} off", f"{route}.{frequency}_sum", fault)
    yield Broken("days cut in UTC", f"{site}.local_days", utc_days(site))
    yield Broken("days cut in UTC", f"{meter}.local_days", utc_days(meter))
    lost = dropped(7, 15)
    yield Broken("a quarter-hour lost", f"{meter}.complete", on_rows(meter, lost, "15T"))
    hour_lost = dropped(7, 0)
    yield Broken("an hour lost", f"{site}.complete", on_rows(site, hour_lost, "H"))
    again = on_rows(meter, second_time_dropped, "15T")
    yield Broken("the repeated hour is missing", f"{meter}.switch_day", again)
    yield Broken(
        "the repeated hour is missing at H",
        f"{site}.switch_day",
        on_rows(site, second_time_dropped_hour, "H"),
    )


def second_time_dropped_hour(rows: list[Row]) -> list[Row]:
    """Hours without the one that local time goes through again."""
    wall = datetime(2025, 10, 26, 2)  # noqa: DTZ001  # a wall time
    return [row for row in rows if instant(row).replace(tzinfo=None) != wall or _first(row)]


def _rows() -> Iterator[Broken]:
    site, meter = "site_data", "meter_data"
    ulp = each(one_ulp_off)
    yield Broken("floats one ulp off", f"{site}.decimals", on_rows(site, ulp))
    yield Broken("floats one ulp off", f"{meter}.decimals", on_rows(meter, ulp))
    yield Broken("no to_ext", f"{site}.keys", on_rows(site, _less_electricity))
    yield Broken("no self", f"{meter}.keys", on_rows(meter, without("self")))
    yield Broken("no conso_total of water", f"{site}.media", on_rows(site, _less_water))
    yield Broken(
        "null for a number", f"{meter}.numbers", on_rows(meter, setting("self", None), "15T")
    )
    yield Broken("texts for numbers", f"{site}.numbers", on_rows(site, each(_as_text), "15T"))
    yield Broken(
        "stamps in words", f"{meter}.timestamps", on_rows(meter, setting("timestamp", "noon"))
    )
    yield Broken("no stamps", f"{site}.timestamps", on_rows(site, without("timestamp"), "15T"))
    yield Broken("another zone's offset", f"{site}.offset", on_rows(site, each(winter_offset)))
    yield Broken("stamps without offset", f"{meter}.offset", on_rows(meter, each(_naive), "15T"))
    yield Broken("unordered", f"{meter}.order", on_rows(meter, swapped, "15T"))
    yield Broken("a row twice", f"{site}.distinct", on_rows(site, first_twice, "15T"))
    off = moved(timedelta(seconds=7))
    yield Broken("stamps 7 s late", f"{meter}.15T_grid", on_rows(meter, off, "15T"))
    yield Broken("from_ext doubled", f"{site}.balance", on_rows(site, scaled("from_ext", 2)))
    yield Broken("ext doubled", f"{meter}.total", on_rows(meter, scaled("ext", 2)))
    yield Broken("status 201 at H", f"{meter}.list", _status_at(meter, "H", 201))
    yield Broken("NaN at M", f"{site}.list", on_rows(site, setting("conso_total", math.nan), "M"))


def _kinds() -> Iterator[Broken]:
    """What is broken of one kind of meter alone."""
    meter, raw = "meter_data", "meter_data_raw"
    grid, rule = building.meter_id(10), building.meter_id(32)
    nothing = each(lambda row: {**row, "self": None, "ext": None})
    off, late = added("total", 0.001), moved(timedelta(seconds=7))
    for name, check, of, fault in (
        ("null self", f"{meter}.numbers", building.PV, on_rows(meter, nothing, "15T")),
        ("D 1 Wh off", f"{meter}.D_sum", building.PV, on_rows(meter, off, "D")),
        ("Y 1 Wh off", f"{meter}.Y_sum", grid, on_rows(meter, off, "Y")),
        ("no total", f"{meter}.keys", rule, on_rows(meter, _total_as_sum, "15T")),
        ("15T 7 s late", f"{meter}.15T_grid", grid, on_rows(meter, late, "15T")),
        ("status 201 at M", f"{meter}.list", building.WATER, _status_at(meter, "M", 201)),
        ("raw twice", f"{raw}.distinct", building.WATER, on_rows(raw, first_twice)),
        ("raw as kWh", f"{raw}.keys", building.WATER, on_rows(raw, each(_as_energy))),
    ):
        yield Broken(f"{name} of {of[-4:]} alone", check, of_meter(of, fault))


def _total_as_sum(rows: list[Row]) -> list[Row]:
    return each(lambda row: {"sum" if key == "total" else key: row[key] for key in row})(rows)


def _as_energy(row: Row) -> Row:
    return {"en_im" if key == "vol_m3" else key: value for key, value in row.items()}


def _status_at(route: str, frequency: str, status: int) -> Fault:
    async def fault(asked: Asked, ask: Ask) -> Answered:
        answered = await ask(asked)
        meant = asked.route == route and asked.frequency == frequency and answered.status == 200
        return replace(answered, status=status) if meant else answered

    return fault


def _less_electricity(rows: list[Row]) -> list[Row]:
    return without("to_ext")(rows)


def _less_water(rows: list[Row]) -> list[Row]:
    return rows if "from_ext" in rows[0] else without("conso_total")(rows)


def _as_text(row: Row) -> Row:
    return {**row, "self": str(row["self"])} if "self" in row else row


def _naive(row: Row) -> Row:
    return {**row, "timestamp": str(row["timestamp"])[:19]}


def _periods() -> Iterator[Broken]:
    site, meter = "site_data", "meter_data"
    none = timedelta()
    yield Broken("naive is local", f"{site}.naive_utc", on_question(site, read_as_local))
    yield Broken("naive is local", f"{meter}.naive_utc", on_question(meter, read_as_local))
    early = shifted_period(-QUARTER, none)
    yield Broken("t_s inclusive", f"{site}.t_s", on_question(site, _quarters(early)))
    yield Broken("t_e exclusive", f"{meter}.t_e", without_last_edge(meter))
    late = shifted_period(none, timedelta(hours=3))
    yield Broken("beyond t_e", f"{meter}.window", on_question(meter, _quarters(late)))
    short = shifted_period(timedelta(hours=1), none)
    yield Broken("begins late", f"{site}.window", on_question(site, _quarters(short)))
    yield Broken("never the same", f"{site}.repeatable", unrepeatable(site))
    yield Broken("t_s demanded", f"{meter}.optional", needs_start(meter))
    hourly = on_question(site, _hourly)
    yield Broken("hours by default", f"{site}.default_frequency", hourly)
    yield Broken("knows the future", f"{meter}.future", tells_future(meter))


def _quarters(shift: Callable[[Asked], Asked]) -> Callable[[Asked], Asked]:
    return lambda asked: shift(asked) if asked.frequency == "15T" else asked


def _hourly(asked: Asked) -> Asked:
    return replace(asked, body={"sampling_frequency": "H", **asked.body})


def _readings() -> Iterator[Broken]:
    raw, sensor = "meter_data_raw", "sensor_data"
    hour, none = timedelta(hours=1), timedelta()
    registers = each(lambda row: {"timestamp": row["timestamp"], "index": 1.0})
    yield Broken("register named index", f"{raw}.keys", on_rows(raw, registers))
    yield Broken("index is null", f"{raw}.numbers", on_rows(raw, setting("en_im", None)))
    yield Broken("index one ulp off", f"{raw}.decimals", on_rows(raw, each(one_ulp_off)))
    yield Broken("stamps in words", f"{raw}.timestamps", on_rows(raw, setting("timestamp", "noon")))
    yield Broken("another zone's offset", f"{raw}.offset", on_rows(raw, each(winter_offset)))
    yield Broken("unordered", f"{raw}.order", on_rows(raw, swapped))
    yield Broken("a reading twice", f"{raw}.distinct", on_rows(raw, first_twice))
    early = shifted_period(-3 * hour, none)
    yield Broken("before t_s", f"{raw}.period", on_question(raw, early))
    yield Broken("naive is local", f"{raw}.period", on_question(raw, read_as_local))
    yield Broken("readings of a rule", f"{raw}.rule_meter", _readings_of_a_rule())
    yield Broken("a list in an object", f"{raw}.list", _wrapped_without_period(raw))
    yield Broken("values under v", f"{sensor}.keys", on_rows(sensor, each(_value_as_v)))
    yield Broken("value is a text", f"{sensor}.numbers", on_rows(sensor, setting("value", "21")))
    yield Broken("stamps as text", f"{sensor}.timestamps", on_rows(sensor, each(_text_stamp)))
    yield Broken("unordered", f"{sensor}.order", on_rows(sensor, swapped))
    yield Broken("a value twice", f"{sensor}.distinct", on_rows(sensor, first_twice))
    yield Broken("before t_s", f"{sensor}.period", on_question(sensor, early))
    yield Broken("the first is latest", f"{sensor}.latest", on_question(sensor, latest_is_first))
    yield Broken("status 202", f"{sensor}.list", on_status(sensor, 200, 202))


def _readings_of_a_rule() -> Fault:
    rule = f"/meter_data_raw/{building.SITE}/{building.meter_id(32)}"
    return answers_for(rule, f"/meter_data_raw/{building.SITE}/{building.WATER}")


def _value_as_v(row: Row) -> Row:
    return {"timestamp": row["timestamp"], "v": row["value"]}


def _text_stamp(row: Row) -> Row:
    at = datetime.fromtimestamp(int(str(row["timestamp"])), UTC)
    return {**row, "timestamp": at.isoformat()}


def _wrapped_without_period(route: str) -> Fault:
    async def fault(asked: Asked, ask: Ask) -> Answered:
        answered = await ask(asked)
        meant = asked.route == route and not asked.body and answered.status == 200
        return answered.saying({"rows": answered.rows}) if meant else answered

    return fault


def _access() -> Iterator[Broken]:
    unknown = "ffffffffffffffffffffffff"
    known_site, anna = building.SITE, building.ANNA
    for route in (
        *("all_installations", "installation_infos", "meter_info", "site_data"),
        *("meter_data", "meter_data_raw", "sensors_list", "sensor_data"),
    ):
        yield Broken("500 for 401", f"token.{route}", on_status(route, 401, 500))
    yield Broken("a foreign site", "access.foreign_site", answers_for(building.FOREIGN, known_site))
    yield Broken("any site", "access.unknown_site", answers_for(f"/{unknown}", f"/{known_site}"))
    yield Broken(
        "any meter",
        "access.unknown_meter",
        answers_for(f"/{known_site}/{unknown}", f"/{known_site}/{anna}"),
    )
    sensor = answers_for(f"sensor_data/{unknown}", f"sensor_data/{building.SENSOR}")
    yield Broken("any sensor", "access.unknown_sensor", sensor)
