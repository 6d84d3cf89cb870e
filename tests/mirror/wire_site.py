"""A site of a scripted server, with meters and sensors that can be put together from habits."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.mirror.copied import Copied
from tests.client.scripted import Asked, Reply, Script, ScriptedServer
from tests.mirror.copying import copy

SITE = "61dfc9a0eba4e3564021f36a"
FIRST_AT = int(dt.datetime(2026, 9, 30, 22, tzinfo=dt.UTC).timestamp())
"""The first instant of October where the site is."""
DAY_S = 86_400

Row = Mapping[str, float | None]
Rows = Mapping[int, Row]


def meter_id(number: int) -> str:
    """The id of a meter."""
    return f"61dfcb4beba4e3563fdf{number:04x}"


def every(step_s: int, count: int, row: Callable[[int], Row], first_at: int = FIRST_AT) -> Rows:
    """Rows at regular instants; ``row`` is given their positions."""
    return {first_at + step_s * position: row(position) for position in range(count)}


@dataclass
class WireMeter:
    """A meter as a server sends it, with its readings and the quarter-hours by their ends."""

    number: int
    said: Mapping[str, object] = field(default_factory=dict)
    raw: Rows | Reply = field(default_factory=dict)
    validated: Rows | Reply = field(default_factory=dict)

    @property
    def id(self) -> str:
        return meter_id(self.number)

    @property
    def item(self) -> dict[str, object]:
        """What the list of meters has of it."""
        usual = {"type": "electricity", "mode": "consumption", "prim_ad": self.number}
        named = {"id": self.id, "name": f"Meter {self.number}", "is_rule_meter": False}
        said = {**named, **usual, **self.said}
        return {key: value for key, value in said.items() if value != "absent"}


def _series(rows: Rows | Reply) -> Script:
    """Answer the rows of a window, without one the latest; months where months are asked."""

    def answer(asked: Asked) -> Reply:
        if isinstance(rows, Reply):
            return rows
        found = sorted(rows.items())
        if asked.fields.get("sampling_frequency") == "M":
            # Enough to see that there is something, and which keys it has.
            month = FIRST_AT if found else None
            return Reply([] if month is None else [{**found[0][1], "timestamp": month}])
        if "t_s" not in asked.fields:
            found = found[-1:]
        else:
            start_at, end_at = (_instant(asked.fields[name]) for name in ("t_s", "t_e"))
            found = [(at, row) for at, row in found if start_at <= at <= end_at]
        return Reply([{**row, "timestamp": at} for at, row in found])

    return answer


def _instant(text: str) -> int:
    return int(dt.datetime.fromisoformat(f"{text}+00:00").timestamp())


def server_of(
    meters: Sequence[WireMeter],
    sensors: object = (),
    infos: Mapping[str, object] | None = None,
    more: Mapping[str, Script] | None = None,
) -> ScriptedServer:
    """A server of one site."""
    usual = {"name": "Site", "timezone": "Europe/Zurich", "creation_date": "2026-10-01T00:00:00"}
    scripts: dict[str, Script] = {
        f"/installation_infos/{SITE}": Reply({**usual, **(infos or {})}),
        f"/meter_info/{SITE}": Reply([each.item for each in meters]),
        f"/{SITE}/sensors_list": Reply(list(sensors)) if isinstance(sensors, list) else Reply([]),
    }
    for each in meters:
        scripts[f"/meter_data_raw/{SITE}/{each.id}"] = _series(each.raw)
        scripts[f"/meter_data/{SITE}/{each.id}"] = _series(each.validated)
    return ScriptedServer({**scripts, **(more or {})})


def copy_from(server: ScriptedServer, store: SqlStore) -> Copied:
    """Copy the site of a scripted server."""
    with server.running() as address:
        return copy(address, store, SITE)
