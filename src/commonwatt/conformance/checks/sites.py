"""The page's part 2: the list of sites, and the settings of a site."""

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from commonwatt.conformance.check import Check
from commonwatt.conformance.judging import published
from commonwatt.conformance.judging.rows import list_fault
from commonwatt.conformance.judging.value_types import (
    NUMBER,
    OBJECT,
    POSTAL_CODE,
    TEXT,
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
from commonwatt.conformance.samples.evidence import site_ids

_OLD_ADDRESS_KEYS = {"city", "postal_code"}
_INFO_TYPES: Types = {
    **dict.fromkeys(("site_ref", "name", "timezone", "creation_date"), TEXT),
    **dict.fromkeys(("latitude", "longitude"), NUMBER),
    "address": OBJECT,
}
_ADDRESS_TYPES: Types = {
    **dict.fromkeys(("street_name", "street_number", "city"), TEXT),
    "postal_code": POSTAL_CODE,
}


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


def _info_answer(building: Building) -> Judgement:
    exchange = building.infos
    if exchange.status != 200:
        return failed(f"status {exchange.status}", exchange)
    if not isinstance(exchange.content, dict):
        return failed(exchange.fault or "the body is no object", exchange)
    return held("an object came", exchange)


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
    fault = type_fault(infos, _INFO_TYPES)
    address = infos.get("address")
    if fault is None and isinstance(address, dict):
        fault = type_fault(address, _ADDRESS_TYPES)
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
)
