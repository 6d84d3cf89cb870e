"""The page's lists of meters and sensors."""

from collections.abc import Callable
from functools import partial

from commonwatt.conformance.asking.exchanges import Exchange
from commonwatt.conformance.check import Check
from commonwatt.conformance.judging import published
from commonwatt.conformance.judging.rows import list_fault, objects
from commonwatt.conformance.judging.value_types import (
    FLAG,
    TEXT,
    WHOLE,
    Types,
    type_fault,
)
from commonwatt.conformance.judging.verdicts import (
    CannotCheck,
    Habit,
    Judgement,
    departs,
    failed,
    held,
    judged,
)
from commonwatt.conformance.samples.building import Building

# The platform knows this type too; the page does not say whether it is listed.
_LISTED_TYPES = (*published.METER_TYPES, "reactive")
_OLD_METER_KEYS = {"name", "mode", "is_rule_meter"}
_METER_TYPES: Types = {
    **dict.fromkeys(("id", "type", "name", "mode"), TEXT),
    "prim_ad": WHOLE,
    "is_rule_meter": FLAG,
}
_SENSOR_TYPES: Types = dict.fromkeys(published.SENSOR_KEYS, TEXT)


def _is_list(asked: Callable[[Building], Exchange], building: Building) -> Judgement:
    exchange = asked(building)
    fault = list_fault(exchange)
    return judged(fault, "a list of objects came", exchange)


def _meter_keys(building: Building) -> Judgement:
    exchange = building.meter_list
    for entry in _some(objects(exchange), "meters"):
        missing = {key for key in published.METER_KEYS if key not in entry}
        if missing and missing <= _OLD_METER_KEYS and "virtual" in entry:
            return departs(
                Habit.OLD_METERS, f"meters without {', '.join(sorted(missing))}", exchange
            )
        if missing:
            return failed(f"a meter without {', '.join(sorted(missing))}", exchange)
    return held("every meter has every documented key", exchange)


def _meter_types(building: Building) -> Judgement:
    exchange = building.meter_list
    entries = _some(objects(exchange), "meters")
    prim_ads = [entry.get("prim_ad") for entry in entries]
    if all(isinstance(each, str) and each.isdecimal() for each in prim_ads):
        return departs(Habit.PRIM_AD_TEXT, "prim_ad is a text of digits", exchange)
    for entry in entries:
        fault = type_fault(entry, _METER_TYPES)
        if fault is not None:
            return failed(fault, exchange)
    return held("every value is of its documented type", exchange)


def _meter_words(building: Building) -> Judgement:
    exchange = building.meter_list
    for entry in _some(objects(exchange), "meters"):
        if entry.get("type", "electricity") not in _LISTED_TYPES:
            return failed(f"type {entry['type']!r} is none of the page", exchange)
        if entry.get("mode", "consumption") not in published.MODES:
            return failed(f"mode {entry['mode']!r} is none of the page", exchange)
    return held("types and modes are the page's", exchange)


def _sensor_keys(building: Building) -> Judgement:
    exchange = building.sensor_list
    for entry in _some(objects(exchange), "sensors"):
        missing = [key for key in published.SENSOR_KEYS if key not in entry]
        fault = f"no {missing[0]}" if missing else type_fault(entry, _SENSOR_TYPES)
        if fault is not None:
            return failed(f"a sensor: {fault}", exchange)
    return held("every sensor has every documented key", exchange)


def _unique(what: str, asked: Callable[[Building], Exchange], building: Building) -> Judgement:
    exchange = asked(building)
    ids = [entry.get("id") for entry in _some(objects(exchange), what)]
    fault = "an id is listed twice" if len({repr(each) for each in ids}) < len(ids) else None
    return judged(fault, f"{len(ids)} {what}, each with an id of its own", exchange)


def _some(entries: list[dict[str, object]], what: str) -> list[dict[str, object]]:
    if not entries:
        raise CannotCheck(f"the site has no {what}")
    return entries


def _meters(building: Building) -> Exchange:
    return building.meter_list


def _sensors(building: Building) -> Exchange:
    return building.sensor_list


CHECKS = (
    Check(
        "meter_info.list",
        "The list of meters presented as a list of objects",
        "200 and a list of objects",
        partial(_is_list, _meters),
    ),
    Check(
        "meter_info.keys",
        "'id', 'type', 'name', 'mode', 'prim_ad', 'is_rule_meter'",
        "all keys in every meter",
        _meter_keys,
    ),
    Check(
        "meter_info.types",
        "'id': <str>, … 'prim_ad': <int>, 'is_rule_meter': <boolean>",
        "values of the documented types",
        _meter_types,
    ),
    Check(
        "meter_info.words",
        "'type': {'electricity', 'heating', 'cold_water', 'hot_water'}, 'mode': {'consumption', "
        "'production', 'introduction', 'battery'}",
        "types and modes of the page; also cooling, charge_point (of site_data) and reactive",
        _meter_words,
    ),
    Check(
        "meter_info.unique",
        "'id': <str representing the meter's id>",
        "no id twice",
        partial(_unique, "meters", _meters),
    ),
    Check(
        "sensors_list.list",
        "The list of sensors info",
        "200 and a list of objects",
        partial(_is_list, _sensors),
    ),
    Check(
        "sensors_list.keys",
        "'id', 'name', 'type', 'unit', 'model': <str>",
        "all keys in every sensor, all texts",
        _sensor_keys,
    ),
    Check(
        "sensors_list.unique",
        "'id': <str representing an ObjectID>",
        "no id twice",
        partial(_unique, "sensors", _sensors),
    ),
)
