"""What a declaration changed, in lines for people; instants in the site's own zone."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from decimal import Decimal

from commonwatt.app.declared_meters import LIFE, MeterChange
from commonwatt.app.declared_rules import meter_label
from commonwatt.app.declared_sensors import SensorChange
from commonwatt.app.describe_devices import device_lines, held_lines, resolution_lines
from commonwatt.app.local_stamp import duration_text, local_stamp
from commonwatt.domain.catalogue import MeterFacts, SiteCatalogue, SiteFacts

_DECLARED_AS = {
    "connection_w": "connection_kw",
    "expected_s": "expected",
    "interval_s": "interval [s]",
    "register_from": "start of registers",
}
_IN_THOUSANDTHS = ("connection_w", "max_per_hour")
"""Fields that are declared in a thousandfold of the unit in which they are kept."""


def site_lines(before: SiteCatalogue | None, after: SiteCatalogue, from_at: int) -> Iterator[str]:
    """Say what changed of a site (``before`` None: it is new) and its electricity."""
    site = after.site
    label = f"site {site.site_ref or site.id}"
    if before is None:
        yield f"{label}: added, id {site.id}"
        return
    names = [field.name for field in fields(site)]
    yield from _prefixed(label, _differences(before.site, site, names, site.timezone))
    yield from _prefixed(label, _facts(before.facts, after.facts, from_at, site.timezone))


def meter_lines(change: MeterChange, timezone: str) -> Iterator[str]:
    """Say what changed of a meter."""
    label = f"meter {meter_label(change.after)}"
    if change.before is None:
        yield f"{label}: added, id {change.after.id}"
        return
    names = (
        *("name", "prim_ad", *LIFE, "installed_index", "interval_s"),
        *("register_meter", "register_from", "register_kind", "expected_s"),
    )
    yield from _prefixed(label, _differences(change.before, change.after, names, timezone))
    yield from _prefixed(label, device_lines(change.before, change.after, timezone))
    yield from _prefixed(label, resolution_lines(change.before, change.after, timezone))
    yield from _prefixed(label, held_lines(change.before, change.after))
    facts = _facts(change.before.facts, change.after.facts, change.from_at, timezone)
    yield from _prefixed(label, facts)


def sensor_lines(change: SensorChange) -> Iterator[str]:
    """Say what changed of a sensor."""
    label = f"sensor {change.after.name}"
    if change.before is None:
        yield f"{label}: added, id {change.after.id}"
        return
    names = ("name", "type", "unit", "model")
    yield from _prefixed(label, _differences(change.before, change.after, names, "UTC"))


def _prefixed(label: str, lines: Iterable[str]) -> Iterator[str]:
    return (f"{label}: {line}" for line in lines)


def _differences(
    before: object, after: object, names: Iterable[str], timezone: str
) -> Iterator[str]:
    for name in names:
        was, now = getattr(before, name), getattr(after, name)
        if was != now:
            declared = _DECLARED_AS.get(name, name)
            yield f"{declared} {_shown(name, was, timezone)} -> {_shown(name, now, timezone)}"


def _facts(
    before: tuple[MeterFacts, ...] | tuple[SiteFacts, ...],
    after: tuple[MeterFacts, ...] | tuple[SiteFacts, ...],
    from_at: int,
    timezone: str,
) -> Iterator[str]:
    """Say what changed of facts from an instant on: of those that hold there, else of later ones.

    Each field is told once, with what it was just before the change and what it is from then on.
    """
    if before == after:
        return
    since = _shown("installed_at", from_at, timezone)
    names = [f.name for f in fields(after[0]) if f.name not in ("valid_from", "valid_to")]
    told: dict[str, str] = {}
    starts = sorted({from_at, *(f.valid_from for f in (*before, *after) if f.valid_from > from_at)})
    for at in starts:
        was, now = _at(before, at), _at(after, at)
        for name in names:
            if getattr(was, name) != getattr(now, name) and name not in told:
                told[name] = next(_differences(was, now, [name], timezone))
    yield from (f"{line}, from {since}" for line in told.values())


def _at(facts: Iterable[MeterFacts | SiteFacts], at: int) -> MeterFacts | SiteFacts:
    return [each for each in facts if each.valid_from <= at][-1]


def _shown(name: str, value: object, timezone: str) -> str:
    if value is None or value == {}:
        return "none"
    if name in (*LIFE, "expected_s") and isinstance(value, int):
        return local_stamp(value, timezone) if name in LIFE else duration_text(value)
    if name in _IN_THOUSANDTHS and isinstance(value, int):
        return str(Decimal(value) / 1000)
    if name == "producers" and isinstance(value, Mapping) and not any(value.values()):
        return "[" + ", ".join(value) + "]" if value else "none"
    if isinstance(value, Mapping):
        return (
            "{"
            + ", ".join(f"{key}: {_value(name, each, timezone)}" for key, each in value.items())
            + "}"
        )
    return repr(value) if isinstance(value, str) and name in ("name", "rule") else str(value)


def _value(name: str, value: object, timezone: str) -> str:
    """Show an index at installation in kWh or m3, not in the millionths that are stored."""
    if name == "register_from" and isinstance(value, int):
        return local_stamp(value, timezone)
    if name == "installed_index" and isinstance(value, int):
        return f"{value // 1_000_000}.{value % 1_000_000:06d}"
    return str(value)
