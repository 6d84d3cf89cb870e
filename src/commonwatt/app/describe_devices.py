"""What changed of a meter's devices and resolutions, in lines for people."""

from collections.abc import Iterator, Mapping

from commonwatt.app.declared_devices import shown_index
from commonwatt.app.local_stamp import local_stamp
from commonwatt.domain.catalogue import Device, Meter, Resolution

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
                    yield f"device from {since}: {name} {_shown(old, name)} -> {_shown(new, name)}"


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
            yield f"{name} {_shown(device, name)}"


def _shown(device: Device, name: str) -> str:
    value = getattr(device, name)
    if value is None or value == {}:
        return "none"
    return shown_index(value) if isinstance(value, Mapping) else str(value)
