"""A server whose building has measured for ever: each value tells its quarter-hour and meter."""

import datetime as dt
from collections.abc import Callable, Mapping
from zoneinfo import ZoneInfo

from tests.client.scripted import METERS, SITE, SITE_DATA, Asked, Reply, Script, ScriptedServer

ZONE = ZoneInfo("Europe/Zurich")
GRID, ANNA, BERT, SUN = (f"61dfcb4beba4e3563fdf00{number:02x}" for number in range(4))
NAMES = {GRID: "Grid", ANNA: "Anna", BERT: "Bert, above\nthe shop", SUN: "Roof"}
_MODES = {GRID: "introduction", ANNA: "consumption", BERT: "consumption", SUN: "production"}
_SITE_COLUMNS = ("conso_total", "prod_total", "from_ext", "self", "to_ext")
Row = dict[str, float | str]


_BEGINS: dict[str, Callable[[dt.datetime], bool]] = {
    "H": lambda local: local.minute == 0,
    "D": lambda local: (local.hour, local.minute) == (0, 0),
    "M": lambda local: (local.day, local.hour, local.minute) == (1, 0, 0),
}


def stamps(asked: Asked) -> list[int]:
    """The stamps [Unix seconds] of what is asked for: ends of quarter-hours, starts of others."""
    start_at, end_at = (
        int(dt.datetime.fromisoformat(asked.fields[name]).replace(tzinfo=dt.UTC).timestamp())
        for name in ("t_s", "t_e")
    )
    quarters = [*range(start_at // 900 * 900 + 900, end_at + 1, 900)]
    begins = _BEGINS.get(asked.fields["sampling_frequency"])
    if begins is None:
        return quarters
    return [at for at in quarters if begins(dt.datetime.fromtimestamp(at, ZONE))]


def stamp(stamp_at: int) -> str:
    """An instant as servers write it."""
    return str(dt.datetime.fromtimestamp(stamp_at, ZONE))


def value(stamp_at: int, number: int) -> float:
    """What a column has at a stamp [kWh]."""
    return (stamp_at // 900 % 1000 * 10 + number) / 1000


def of_site(asked: Asked) -> list[Row]:
    """Rows of the site with the columns of its consumers and its roof, if they are wished."""
    shown = (ANNA, BERT, SUN) if asked.fields.get("meters") else ()
    return [
        {
            **{name: value(at, number) for number, name in enumerate(_SITE_COLUMNS)},
            **{
                f"{name}_{meter}": amount
                for meter in shown
                for name, amount in own(meter, at).items()
            },
            "timestamp": stamp(at),
        }
        for at in stamps(asked)
    ]


def of_meter(meter: str, asked: Asked) -> list[Row]:
    """Rows of a meter."""
    return [{**own(meter, at), "timestamp": stamp(at)} for at in stamps(asked)]


def own(meter: str, stamp_at: int) -> dict[str, float]:
    """What a meter has at a stamp."""
    total = value(stamp_at, int(meter[-2:], 16))
    is_consumer = _MODES[meter] == "consumption"
    return {"total": total, "self": 0.0, "ext": total} if is_consumer else {"total": total}


def endless(scripts: Mapping[str, Script] | None = None) -> ScriptedServer:
    """Return the server; `scripts`: what it answers otherwise."""
    meters = [
        {"id": meter, "type": "electricity", "mode": _MODES[meter], "name": name}
        for meter, name in NAMES.items()
    ]
    return ScriptedServer(
        {
            METERS: Reply(meters),
            SITE_DATA: lambda asked: Reply(of_site(asked)),
            **{
                f"/meter_data/{SITE}/{meter}": lambda asked, meter=meter: Reply(  # type: ignore[misc]
                    of_meter(meter, asked)
                )
                for meter in NAMES
            },
            **(scripts or {}),
        }
    )
