"""What a declaration changed, in lines for people; instants in the site's own zone."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from decimal import Decimal

from commonwatt.app.declaring.devices import shown_index
from commonwatt.app.declaring.meters import LIFE, MeterChange
from commonwatt.app.declaring.rules import meter_label
from commonwatt.app.declaring.sensors import SensorChange
from commonwatt.domain.metering.catalogue import (
    Device,
    Meter,
    MeterFacts,
    Resolution,
    SiteCatalogue,
    SiteFacts,
)
from commonwatt.domain.metering.local_time import duration_text, local_stamp

_FIELDS = ("serial", "digits", "factor", "start_index", "end_index")


def device_lines(before: Meter, after: Meter, timezone: str) -> Iterator[str]:
    """Say which devices came, went, and are others; a device is known by when it begins."""
    was = {device.from_at: device for device in before.devices}
    now = {device.from_at: device for device in after.devices}
    for from_at in sorted({*was, *now}, key=lambda at: (at is not None, at)):
        since = "the beginning" if from_at is None else local_stamp(from_at, timezone)
        old, new = was.get(from_at), now.get(from_at)
        if old is None and new is not None:
            said = "".join(f", {field}" for field in _said(new))
            yield f"device from {since} added{said}"
        elif old is not None and new is None:
            yield f"device from {since} taken away"
        elif old is not None and new is not None:
            for name in _FIELDS:
                if getattr(old, name) != getattr(new, name):
                    yield f"device from {since}: {name} {_field(old, name)} -> {_field(new, name)}"


def resolution_lines(before: Meter, after: Meter, timezone: str) -> Iterator[str]:
    """Say what was resolved, and what is no longer."""
    for each in after.resolutions:
        if each not in before.resolutions:
            yield f"{_span(each, timezone)} is {each.kind}"
    for each in before.resolutions:
        if each not in after.resolutions:
            yield f"{_span(each, timezone)} is no longer {each.kind}"


def held_lines(before: Meter, after: Meter) -> Iterator[str]:
    """Say whether other readings are held back, or accepted."""
    if after.accepted != before.accepted:
        looks = ", ".join(each.looks.value for each in after.accepted)
        yield f"readings accepted that look like {looks}" if looks else "no readings are accepted"
    if after.held != before.held:
        looks = ", ".join(each.looks.value for each in after.held)
        yield f"readings held back: they look like {looks}" if looks else "no readings held back"


def _span(resolution: Resolution, timezone: str) -> str:
    start, end = (local_stamp(at, timezone) for at in (resolution.start_at, resolution.end_at))
    return f"{resolution.register} from {start} to {end}"


def _said(device: Device) -> Iterator[str]:
    for name in _FIELDS:
        if getattr(device, name) not in (None, {}):
            yield f"{name} {_field(device, name)}"


def _field(device: Device, name: str) -> str:
    value = getattr(device, name)
    if value is None or value == {}:
        return "none"
    return shown_index(value) if isinstance(value, Mapping) else str(value)


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
    described: dict[str, str] = {}
    starts = sorted({from_at, *(f.valid_from for f in (*before, *after) if f.valid_from > from_at)})
    for at in starts:
        was, now = _at(before, at), _at(after, at)
        for name in names:
            if getattr(was, name) != getattr(now, name) and name not in described:
                described[name] = next(_differences(was, now, [name], timezone))
    yield from (f"{line}, from {since}" for line in described.values())


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
