"""Servers with one fault each, and the check that finds it.

Every fault is worked upon the answers of the real server, as the real fault would show: a sum
that is off is off in one frequency, a stamp that is off keeps its values.
"""

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.api.conftest import PASSWORD
from tests.conformance import building
from tests.conformance.breakable import Answered, Ask, Asked, Fault

Row = dict[str, object]
Change = Callable[[list[Row]], list[Row]]
ZONE = ZoneInfo(building.ZONE)
QUARTER = timedelta(minutes=15)


@dataclass(frozen=True)
class Broken:
    """A broken server: what is wrong with it, and the one check that must fail."""

    name: str
    check: str
    fault: Fault


def on_rows(route: str, change: Change, *frequencies: str) -> Fault:
    """Change the rows of an endpoint, at some frequencies or at all."""

    async def fault(asked: Asked, ask: Ask) -> Answered:
        answered = await ask(asked)
        meant = asked.route == route and (not frequencies or asked.frequency in frequencies)
        return answered.saying(change(answered.rows)) if meant and answered.rows else answered

    return fault


def on_content(route: str, change: Callable[[Row], Row]) -> Fault:
    """Change the object that an endpoint answers."""

    async def fault(asked: Asked, ask: Ask) -> Answered:
        answered = await ask(asked)
        if asked.route != route or answered.status != 200:
            return answered
        return answered.saying(change(json.loads(answered.text)))

    return fault


def on_question(route: str, change: Callable[[Asked], Asked]) -> Fault:
    """Understand another question than was asked."""

    async def fault(asked: Asked, ask: Ask) -> Answered:
        return await ask(change(asked) if asked.route == route else asked)

    return fault


def on_status(route: str, status: int, to: int) -> Fault:
    """Answer with another status."""

    async def fault(asked: Asked, ask: Ask) -> Answered:
        answered = await ask(asked)
        meant = asked.route == route and answered.status == status
        return replace(answered, status=to) if meant else answered

    return fault


def each(change: Callable[[Row], Row]) -> Change:
    """Change every row."""
    return lambda rows: [change(dict(row)) for row in rows]


def instant(row: Row) -> datetime:
    """The stamp of a row."""
    return datetime.fromisoformat(str(row["timestamp"]))


def stamped(row: Row, at: datetime) -> Row:
    """A row with another stamp, in the site's zone."""
    return {**row, "timestamp": at.astimezone(ZONE).isoformat(" ")}


def moved(by: timedelta) -> Change:
    """Rows whose stamps are moved."""
    return each(lambda row: stamped(row, instant(row).astimezone(UTC) + by))


def at_period_end(frequency: str) -> Change:
    """Rows stamped with the end of their local day, month or year."""

    def end(row: Row) -> Row:
        day = instant(row).date()
        following = {
            "D": day + timedelta(days=1),
            "M": (day.replace(day=1) + timedelta(days=32)).replace(day=1),
            "Y": date(day.year + 1, 1, 1),
        }[frequency]
        return stamped(row, datetime(following.year, following.month, following.day, tzinfo=ZONE))

    return each(end)


def without(key: str) -> Change:
    """Rows without a key."""
    return each(lambda row: {name: value for name, value in row.items() if name != key})


def setting(key: str, value: object) -> Change:
    """Rows with another value."""
    return each(lambda row: {**row, key: value})


def scaled(key: str, by: int) -> Change:
    """Rows with a value several times what it is: sums of it stay sums."""

    def scale(row: Row) -> Row:
        value = row.get(key)
        return {**row, key: round(value * by, 3)} if isinstance(value, float | int) else row

    return each(scale)


def added(key: str, kwh: float) -> Change:
    """Rows with a little more."""

    def add(row: Row) -> Row:
        value = row.get(key)
        return {**row, key: round(value + kwh, 3)} if isinstance(value, float | int) else row

    return each(add)


def one_ulp_off(row: Row) -> Row:
    """Every number is the next that a binary fraction can be."""
    return {
        key: math.nextafter(value, math.inf) if isinstance(value, float) else value
        for key, value in row.items()
    }


def dropped(hour: int, minute: int) -> Change:
    """Rows without one of each day."""
    return lambda rows: [
        row for row in rows if (instant(row).hour, instant(row).minute) != (hour, minute)
    ]


def second_time_dropped(rows: list[Row]) -> list[Row]:
    """Rows without the hour that local time goes through again."""
    return [
        row
        for row in rows
        if instant(row).replace(tzinfo=None, microsecond=0) not in _ambiguous() or _first(row)
    ]


def _ambiguous() -> set[datetime]:
    first = datetime(2025, 10, 26, 2, 15)  # noqa: DTZ001  # a wall time
    return {first + quarter * QUARTER for quarter in range(4)}


def _first(row: Row) -> bool:
    return instant(row).utcoffset() == timedelta(hours=2)


def swapped(rows: list[Row]) -> list[Row]:
    """Rows of which two have changed places."""
    return [*rows[1:2], *rows[:1], *rows[2:]]


def first_twice(rows: list[Row]) -> list[Row]:
    """Rows of which the first comes twice."""
    return [*rows[:1], *rows]


def winter_offset(row: Row) -> Row:
    """The same instant with an offset that is not the site's."""
    at = instant(row).astimezone(UTC)
    wrong = at + timedelta(hours=5)
    return {**row, "timestamp": wrong.replace(tzinfo=None).isoformat(" ") + "+05:00"}


def shifted_period(start: timedelta, end: timedelta) -> Callable[[Asked], Asked]:
    """Another period than was asked for."""

    def shift(asked: Asked) -> Asked:
        moves = {"t_s": start, "t_e": end}
        body, query = dict(asked.body), dict(asked.query)
        for key, by in moves.items():
            if isinstance(body.get(key), str):
                body[key] = (datetime.fromisoformat(str(body[key])) + by).isoformat()
            if key in query:
                query[key] = (datetime.fromisoformat(query[key]) + by).isoformat()
        return replace(asked, body=body, query=query)

    return shift


def read_as_local(asked: Asked) -> Asked:
    """The period as somebody reads it who takes naive times for local ones."""

    def utc(text: object) -> str:
        local = datetime.fromisoformat(str(text)).replace(tzinfo=ZONE)
        return local.astimezone(UTC).replace(tzinfo=None).isoformat()

    body = {k: utc(v) if k in {"t_s", "t_e"} else v for k, v in asked.body.items()}
    query = {k: utc(v) for k, v in asked.query.items()}
    return replace(asked, body=body, query=query)


def without_last_edge(route: str) -> Fault:
    """The row stamped t_e is missing."""

    async def fault(asked: Asked, ask: Ask) -> Answered:
        answered = await ask(asked)
        if asked.route != route or asked.frequency != "15T" or "t_e" not in asked.body:
            return answered
        end = datetime.fromisoformat(str(asked.body["t_e"])).replace(tzinfo=UTC)
        return answered.saying([row for row in answered.rows if instant(row) != end])

    return fault


def utc_days(route: str) -> Fault:
    """Days are cut at midnight UTC, and stamped with the local midnight of their date."""

    async def fault(asked: Asked, ask: Ask) -> Answered:
        if asked.route != route or asked.frequency != "D":
            return await ask(asked)
        answered = await ask(replace(asked, body={**asked.body, "sampling_frequency": "15T"}))
        days: dict[date, Row] = {}
        for row in answered.rows:
            start = instant(row).astimezone(UTC) - QUARTER
            day = days.setdefault(start.date(), {})
            for key, value in row.items():
                if isinstance(value, float | int):
                    day[key] = round(float(str(day.get(key, 0))) + value, 3)
        rows = [
            stamped(row, datetime(day.year, day.month, day.day, tzinfo=ZONE))
            for day, row in days.items()
        ]
        return answered.saying(rows)

    return fault


def unrepeatable(route: str) -> Fault:
    """Short answers have fewer digits than long ones."""

    async def fault(asked: Asked, ask: Ask) -> Answered:
        answered = await ask(asked)
        rows = answered.rows
        if asked.route != route or asked.frequency != "15T" or len(rows) > 20:
            return answered
        coarse = each(
            lambda row: {k: round(v, 1) if isinstance(v, float) else v for k, v in row.items()}
        )
        return answered.saying(coarse(rows))

    return fault


def tells_future(route: str) -> Fault:
    """A period that ends in the future has a row there."""

    async def fault(asked: Asked, ask: Ask) -> Answered:
        answered = await ask(asked)
        end = asked.body.get("t_e")
        if asked.route != route or asked.frequency != "15T" or not isinstance(end, str):
            return answered
        at = datetime.fromisoformat(end).replace(tzinfo=UTC)
        if at < datetime.now(UTC):
            return answered
        row: Row = {"total": 0.1, "self": 0.0, "ext": 0.1}
        return answered.saying([*answered.rows, stamped(row, at)])

    return fault


def needs_start(route: str) -> Fault:
    """t_s is demanded."""

    async def fault(asked: Asked, ask: Ask) -> Answered:
        if asked.route == route and "t_s" not in asked.body and "authorization" in asked.headers:
            return Answered(422, '{"detail": "t_s is missing"}')
        return await ask(asked)

    return fault


def answers_for(path_from: str, path_to: str) -> Fault:
    """What is asked of one thing is answered with another's data."""

    async def fault(asked: Asked, ask: Ask) -> Answered:
        return await ask(replace(asked, path=asked.path.replace(path_from, path_to)))

    return fault


def takes_any_password() -> Fault:
    """Whatever the password, the user is signed in."""
    return on_question(
        "auth", lambda asked: replace(asked, body={**asked.body, "password": PASSWORD})
    )


def latest_is_first(asked: Asked) -> Asked:
    """Without a period the values of long ago."""
    if asked.query:
        return asked
    first = datetime.fromtimestamp(building.LAST_AT - 86_400, UTC).replace(tzinfo=None)
    ends = first + timedelta(hours=4)
    return replace(asked, query={"t_s": first.isoformat(), "t_e": ends.isoformat()})


def another_token(change: Callable[[Row], Row], spelled: Callable[[Row], str]) -> Fault:
    """Tokens that the server knows although they say something else of themselves."""
    known: dict[str, str] = {}

    async def fault(asked: Asked, ask: Ask) -> Answered:
        bearer = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if bearer in known:
            real = {**asked.headers, "authorization": f"Bearer {known[bearer]}"}
            return await ask(replace(asked, headers=real))
        answered = await ask(asked)
        if asked.route != "auth" or answered.status != 200:
            return answered
        content = change(json.loads(answered.text))
        token = spelled(content)
        known[token] = str(json.loads(answered.text)["access_token"])
        return answered.saying({**content, "access_token": token})

    return fault


def ends_later(seconds: int) -> Callable[[Row], Row]:
    """The answer to a sign-in with a later end."""

    def later(content: Row) -> Row:
        end = content["valid_until"]
        assert isinstance(end, dict)
        return {**content, "valid_until": {"$date": end["$date"] + seconds * 1000}}

    return later


def web_token(content: Row) -> str:
    """A JSON Web Token that ends when the answer says."""
    import base64

    end = content["valid_until"]
    assert isinstance(end, dict)
    parts = ({"alg": "HS256"}, {"exp": end["$date"] // 1000})
    coded = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in parts)
    return ".".join([*(part.rstrip("=") for part in coded), "c2lnbmF0dXJl"])


def replays(route: str) -> Fault:
    """A request too many is answered with what came before."""
    before: dict[str, Answered] = {}

    async def fault(asked: Asked, ask: Ask) -> Answered:
        answered = await ask(asked)
        if asked.route != route:
            return answered
        if answered.status == 429 and asked.path in before:
            return before[asked.path]
        if answered.status == 200:
            before[asked.path] = answered
        return answered

    return fault


def broken_servers() -> Iterator[Broken]:
    """All of them; a fault of both validated series is shown at one of the two."""
    yield from _sign_in()
    yield from _lists()
    yield from _stamps_and_sums()
    yield from _rows()
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
