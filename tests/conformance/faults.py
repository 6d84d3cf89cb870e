"""Faults that are worked upon the answers of the real server.

Each is as the real fault would show: a sum that is off is off in one frequency, a stamp that is off
keeps its values.
"""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.api.conftest import PASSWORD
from tests.conformance import building
from tests.conformance.breakable import Answered, Ask, Asked, Fault
from tests.conformance.clock import CLOCK

Row = dict[str, object]
Change = Callable[[list[Row]], list[Row]]
ZONE = ZoneInfo(building.ZONE)
QUARTER = timedelta(minutes=15)


def on_rows(route: str, change: Change, *frequencies: str) -> Fault:
    """Change the rows of an endpoint, at some frequencies or at all."""

    async def fault(asked: Asked, ask: Ask) -> Answered:
        answered = await ask(asked)
        meant = asked.route == route and (not frequencies or asked.frequency in frequencies)
        return answered.saying(change(answered.rows)) if meant and answered.rows else answered

    return fault


def of_meter(meter: str, fault: Fault) -> Fault:
    """Break the answers of one meter only."""

    async def of_one(asked: Asked, ask: Ask) -> Answered:
        return await (fault(asked, ask) if asked.path.endswith(meter) else ask(asked))

    return of_one


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
        if at.timestamp() < CLOCK():
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
