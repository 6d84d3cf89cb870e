"""The page's lists: sites, the settings of a site, meters, sensors."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from commonwatt.conformance import published
from commonwatt.conformance.building import Building
from commonwatt.conformance.check import Check
from commonwatt.conformance.evidence import site_ids
from commonwatt.conformance.exchanges import Exchange
from commonwatt.conformance.rows import list_fault, number, objects
from commonwatt.conformance.verdicts import (
    CannotCheck,
    Habit,
    Judgement,
    departs,
    failed,
    held,
    judged,
)

Object = Mapping[str, object]
# The platform knows this type too; the page does not say whether it is listed.
_LISTED_TYPES = (*published.METER_TYPES, "reactive")
_OLD_METER_KEYS = {"name", "mode", "is_rule_meter"}
_OLD_ADDRESS_KEYS = {"city", "postal_code"}


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return number(value) is not None


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _is_code(value: object) -> bool:
    """A postal code: a whole number, or a text where a country's codes have letters."""
    return _is_whole(value) or isinstance(value, str)


Types = Mapping[str, tuple[Callable[[object], bool], str]]
_INFO_TYPES: Types = {
    **dict.fromkeys(("site_ref", "name", "timezone", "creation_date"), (_is_text, "a text")),
    **dict.fromkeys(("latitude", "longitude"), (_is_number, "a number")),
    "address": (_is_object, "an object"),
}
_ADDRESS_TYPES: Types = {
    **dict.fromkeys(("street_name", "street_number", "city"), (_is_text, "a text")),
    "postal_code": (_is_code, "a whole number"),
}
_METER_TYPES: Types = {
    **dict.fromkeys(("id", "type", "name", "mode"), (_is_text, "a text")),
    "prim_ad": (_is_whole, "a whole number"),
    "is_rule_meter": (_is_flag, "true or false"),
}
_SENSOR_TYPES: Types = dict.fromkeys(published.SENSOR_KEYS, (_is_text, "a text"))


def _type_fault(entry: Object, types: Types) -> str | None:
    for key, (is_right, name) in types.items():
        if key in entry and not is_right(entry[key]):
            return f"{key} is {entry[key]!r}, not {name}"
    return None


def _is_list(asked: Callable[[Building], Exchange], building: Building) -> Judgement:
    exchange = asked(building)
    fault = list_fault(exchange)
    return judged(fault, "a list of objects came", exchange)


def _site_list(building: Building) -> Judgement:
    exchange = building.site_list
    content = exchange.content
    bare = isinstance(content, list) and all(isinstance(each, str) for each in content)
    if exchange.is_answered and bare and content:
        return departs(Habit.BARE_IDS, "the list has texts, not objects", exchange)
    return judged(list_fault(exchange), "a list of objects came", exchange)


def _site_ids(building: Building) -> Judgement:
    exchange = building.site_list
    content = exchange.content
    if not exchange.is_answered or not isinstance(content, list):
        raise CannotCheck("/all_installations was not answered with a list")
    found = site_ids(content)
    if len(found) < len(content):
        return failed("a site of the list has no id to ask for it", exchange)
    if len(set(found)) < len(found):
        return failed("a site is listed twice", exchange)
    if not found:
        raise CannotCheck("no site is listed")
    return held(f"{len(found)} sites, each with an id of its own", exchange)


def _info_keys(building: Building) -> Judgement:
    infos, address = building.infos_object, building.infos_object.get("address")
    missing = [key for key in published.SITE_KEYS if key not in infos]
    lacking: set[str] = set()
    if isinstance(address, dict):
        lacking = {key for key in published.ADDRESS_KEYS if key not in address}
        if lacking and lacking <= _OLD_ADDRESS_KEYS and address.keys() & {"city_name", "city_ref"}:
            return departs(
                Habit.OLD_ADDRESS, "the address lacks city or postal_code", building.infos
            )
    missing += sorted(lacking)
    fault = f"there is no {', '.join(missing)}" if missing else None
    return judged(fault, "every documented key is there", building.infos)


def _info_types(building: Building) -> Judgement:
    infos = building.infos_object
    fault = _type_fault(infos, _INFO_TYPES)
    address = infos.get("address")
    if fault is None and isinstance(address, dict):
        fault = _type_fault(address, _ADDRESS_TYPES)
    return judged(fault, "every value is of its documented type", building.infos)


def _creation_date(building: Building) -> Judgement:
    text = building.infos_object.get("creation_date")
    if not isinstance(text, str):
        raise CannotCheck("the site has no creation_date")
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return failed(f"creation_date {text!r} is no ISO date-time", building.infos)
    return held(f"creation_date is {text}", building.infos)


def _timezone(building: Building) -> Judgement:
    name = building.infos_object.get("timezone")
    if not isinstance(name, str):
        raise CannotCheck("the site has no timezone")
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return failed(f"timezone {name!r} is no zone of the IANA database", building.infos)
    return held(f"timezone is {name}", building.infos)


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
        fault = _type_fault(entry, _METER_TYPES)
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
        fault = f"no {missing[0]}" if missing else _type_fault(entry, _SENSOR_TYPES)
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


def _info_answer(building: Building) -> Judgement:
    exchange = building.infos
    if exchange.status != 200:
        return failed(f"status {exchange.status}", exchange)
    if not isinstance(exchange.content, dict):
        return failed(exchange.fault or "the body is no object", exchange)
    return held("an object came", exchange)


CHECKS = (
    Check(
        "all_installations.list",
        "The list of all the sites, presented as a list of objects.",
        "200 and a list of objects",
        _site_list,
    ),
    Check(
        "all_installations.ids",
        "The list of all the sites",
        "every entry has an id (id, _id or site_id, or is one), none twice",
        _site_ids,
    ),
    Check(
        "installation_infos.object",
        "The parameters of the site",
        "200 and an object",
        _info_answer,
    ),
    Check(
        "installation_infos.keys",
        "'site_ref', 'name', 'address': {'street_name', 'street_number', 'city', 'postal_code'}, "
        "'creation_date', 'latitude', 'longitude', 'timezone'",
        "all keys; creation_date, latitude and longitude where they are known",
        _info_keys,
    ),
    Check(
        "installation_infos.types",
        "'site_ref': <str>, … 'postal_code': <int>, … 'latitude': <float>",
        "texts, numbers and an object as documented; postal_code may be a text of letters",
        _info_types,
    ),
    Check(
        "installation_infos.creation_date",
        "'creation_date': <datetime isoformat str>",
        "an ISO 8601 date-time",
        _creation_date,
    ),
    Check(
        "installation_infos.timezone",
        "'timezone': <str>",
        "the name of a zone in the IANA database",
        _timezone,
    ),
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
