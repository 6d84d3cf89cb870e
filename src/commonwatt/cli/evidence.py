"""The evidence of a finding as people read it: kWh and m3, hours and minutes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from commonwatt.domain.catalogue import Meter
    from commonwatt.domain.findings import Finding

_INDEXES = ("index", "index_before", "index_after", "lowest", "highest")
_ENERGIES = ("energy", "residual", "produced", "consumed", "intervals", "register")
_TIMES = ("seconds", "still", "offset")


def evidence_text(meter: "Meter", finding: "Finding") -> str:
    """Write the evidence of a finding about a meter on one line."""
    return ", ".join(_parts(meter, finding))


def _parts(meter: "Meter", finding: "Finding") -> Iterator[str]:
    unit = meter.medium.unit
    for name, value in finding.evidence.items():
        word = name.replace("_", " ")
        if name in _INDEXES:
            yield f"{word} {value / 1_000_000:.3f} {unit}"
        elif name in _ENERGIES:
            yield f"{word} {value / 1_000:.3f} {unit}"
        elif name == "limit":
            yield f"{word} {value / 1_000:.3f} {unit} an hour"
        elif name == "factor":
            yield f"{word} {value / 1_000:.3f}"
        elif name in _TIMES:
            yield f"{word if name != 'seconds' else 'over'} {_duration(value)}"
        else:
            yield f"{word} {value}"


def _duration(seconds: int) -> str:
    """Write a duration.

    >>> _duration(95), _duration(5_400), _duration(-90_000)
    ('95 s', '1 h 30 min', '-1 d 1 h')
    """
    if seconds < 0:
        return f"-{_duration(-seconds)}"
    if seconds < 3_600:
        return f"{seconds} s" if seconds % 60 else f"{seconds // 60} min"
    days, rest = divmod(seconds, 86_400)
    hours, minutes = rest // 3_600, rest % 3_600 // 60
    parts = ((days, "d"), (hours, "h"), (0 if days else minutes, "min"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count)
