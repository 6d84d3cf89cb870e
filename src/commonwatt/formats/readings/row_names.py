"""How rows name their meters and sensors."""

import re

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.catalogue import Medium
from commonwatt.domain.metering.readings import MeterName
from commonwatt.formats.errors import BadValue, Faults, shown
from commonwatt.formats.readings.row_source import RowSource, add_coded_faults, coded

_ID = re.compile(r"[0-9a-f]{24}")
_MEDIA = frozenset(medium.value for medium in Medium)
_PRIM_AD_MAX = 2**31 - 1


def meters_of(source: RowSource) -> tuple[list[MeterName], NDArray[np.int32]]:
    """Return the distinct meters that rows name, and the position of each row's meter there."""
    ids = source.only(str, "a meter id, 24 hexadecimal digits", "meter")
    types = source.only(str, f"a type, one of {', '.join(Medium)}", "type")
    addresses = source.only(int, "a whole number", "prim_ad")
    names, codes = coded(list(zip(ids, types, addresses, strict=True)))
    meters: list[MeterName] = []
    # Where each distinct name stands among the meters; -1 for one that names none.
    places = np.full(len(names), -1, np.int32)
    reasons = Faults()
    for code, (meter_id, medium, prim_ad) in enumerate(names):
        try:
            meter = _meter_name(meter_id, medium, prim_ad)
        except BadValue as fault:
            reasons.note(code, fault)
        else:
            places[code] = len(meters)
            meters.append(meter)
    add_coded_faults(source.faults, codes, reasons)
    return meters, places[codes]


def _meter_name(meter_id: object, medium: object, prim_ad: object) -> MeterName:
    if meter_id is not None:
        if medium is not None or prim_ad is not None:
            raise BadValue("names its meter twice; give either meter, or type and prim_ad")
        return MeterName(id=_checked_id("meter", meter_id))
    if medium is None and prim_ad is None:
        raise BadValue("names no meter; give meter (its id), or type and prim_ad")
    if not isinstance(medium, str) or not isinstance(prim_ad, int):
        missing = "prim_ad" if prim_ad is None else "type"
        raise BadValue(f"{missing} is missing; type and prim_ad name a meter together")
    if medium not in _MEDIA:
        raise BadValue(f"type: {shown(medium)} is none of {', '.join(Medium)}")
    if not 0 <= prim_ad <= _PRIM_AD_MAX:
        raise BadValue(f"prim_ad: {shown(prim_ad)} is not a number from 0 to {_PRIM_AD_MAX}")
    return MeterName(type=medium, prim_ad=prim_ad)


def _checked_id(key: str, value: object) -> str:
    if not isinstance(value, str) or _ID.fullmatch(value) is None:
        raise BadValue(f"{key}: {shown(value)} is not an id, 24 digits of 0-9 and a-f")
    return value


def sensors_of(source: RowSource) -> tuple[list[str], NDArray[np.int32]]:
    """Return the distinct sensors that rows name, and the position of each row's sensor there."""
    names, codes = coded(source.only(str, "a sensor id", "sensor"))
    reasons = Faults()
    for code, name in enumerate(names):
        try:
            _checked_id("sensor", name)
        except BadValue as fault:
            reasons.note(code, "sensor is missing; give its id" if name is None else fault)
    add_coded_faults(source.faults, codes, reasons)
    sensors = [str(name) for code, name in enumerate(names) if code not in reasons]
    places = np.cumsum([code not in reasons for code in range(len(names))], dtype=np.int32) - 1
    return sensors, places[codes]
