"""Which sensors a declaration means, and what it makes of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from commonwatt.app.declaring.declaration import (
    DeclarationFault,
    NotSaid,
    SensorDeclaration,
    new_id,
)
from commonwatt.app.declaring.facts import said_of, updated
from commonwatt.domain.metering.catalogue import Sensor, SiteCatalogue

_FIELDS = ("name", "type", "unit", "model")


@dataclass(frozen=True, slots=True)
class SensorChange:
    """A sensor as it was (None: it is new) and as it is to be."""

    before: Sensor | None
    after: Sensor


def declared_sensors(
    catalogue: SiteCatalogue, declared: Sequence[SensorDeclaration], now_at: int
) -> tuple[list[SensorChange], list[DeclarationFault]]:
    """Return the declared sensors as they will be, and the faults of those that cannot be."""
    changes: list[SensorChange] = []
    faults: list[DeclarationFault] = []
    lines: dict[int, int] = {}
    number = max((sensor.number for sensor in catalogue.sensors), default=0)
    for each in declared:
        known = _known(catalogue, each)
        if len(known) > 1:
            reason = f"{len(known)} sensors have this name; say which by id"
            faults.append(DeclarationFault(each.line, "name", reason))
            continue
        before = known[0] if known else None
        number += before is None
        start = before or Sensor(
            number=number,
            id=new_id(now_at) if isinstance(each.id, NotSaid) else each.id,
            name=each.name,
            type="",
            unit="",
            model="",
        )
        if start.number in lines:
            reason = f"is {start.name}, declared already on line {lines[start.number]}"
            faults.append(DeclarationFault(each.line, "sensor", reason))
        lines[start.number] = each.line
        changes.append(SensorChange(before, updated(start, said_of(each, _FIELDS))))
    return changes, faults


def _known(catalogue: SiteCatalogue, declared: SensorDeclaration) -> list[Sensor]:
    """Find the sensor that is meant: by id, else by name."""
    if not isinstance(declared.id, NotSaid):
        sensor = catalogue.sensor_by_id.get(declared.id)
        return [] if sensor is None else [sensor]
    return [sensor for sensor in catalogue.sensors if sensor.name == declared.name]
