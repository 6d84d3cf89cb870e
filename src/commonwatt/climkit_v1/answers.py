"""Shapes of the small answers of the API, keys in the documented order.

Texts that nobody declared are empty; other values that nobody declared have no key. Nothing is
null.
"""

from typing import NotRequired, TypedDict

_MOST_CITY_REF = 32_767
Milliseconds = TypedDict("Milliseconds", {"$date": int})


class AuthAnswer(TypedDict):
    """Answer of /auth; `valid_until` counts milliseconds."""

    access_token: str
    valid_until: Milliseconds


class Address(TypedDict):
    """Address of a site; `postal_code` is a number where it is numeric.

    `city_name` and `city_ref` are for clients of 2022.
    """

    street_name: str
    street_number: str
    city: str
    postal_code: int | str
    city_name: NotRequired[str]
    city_ref: NotRequired[int]


class _Optional(TypedDict, total=False):
    creation_date: str
    latitude: float
    longitude: float


class InstallationInfos(TypedDict):
    """Answer of /installation_infos."""

    site_ref: str
    name: str
    address: Address
    creation_date: NotRequired[str]
    latitude: NotRequired[float]
    longitude: NotRequired[float]
    timezone: str


class Installation(TypedDict):
    """One of the answers of /all_installations: the site's id, then its infos."""

    id: str
    site_ref: str
    name: str
    address: Address
    creation_date: NotRequired[str]
    latitude: NotRequired[float]
    longitude: NotRequired[float]
    timezone: str


class MeterInfo(TypedDict):
    """One of the answers of /meter_info; `virtual` is for clients of 2022."""

    id: str
    type: str
    name: str
    mode: str
    prim_ad: int
    is_rule_meter: bool
    virtual: NotRequired[bool]


class SensorInfo(TypedDict):
    """One of the answers of /<site>/sensors_list."""

    id: str
    name: str
    type: str
    unit: str
    model: str


def auth_answer(access_token: str, valid_until_at: int) -> AuthAnswer:
    """Return the answer of /auth; `valid_until_at` in Unix seconds.

    >>> auth_answer("abc", 1_790_000_900)
    {'access_token': 'abc', 'valid_until': {'$date': 1790000900000}}
    """
    return {"access_token": access_token, "valid_until": {"$date": valid_until_at * 1000}}


def address(street_name: str, street_number: str, city: str, postal_code: str) -> Address:
    """Return the address of a site.

    >>> address("Rue des Tilleuls", "12", "Renens", "1020")["postal_code"]
    1020
    >>> address("Main Road", "1", "Exeter", "EX1 1AA")["postal_code"]
    'EX1 1AA'
    """
    numeric = postal_code.isascii() and postal_code.isdecimal()
    return {
        "street_name": street_name,
        "street_number": street_number,
        "city": city,
        "postal_code": int(postal_code) if numeric else postal_code,
    }


def address_of_2022(address: Address) -> Address:
    """Return an address with the keys of 2022 beside those of today.

    `city_ref` was a number of 16 bits: what is none has no such key.

    >>> address_of_2022(address("Rue des Tilleuls", "12", "Renens", "1020"))["city_ref"]
    1020
    >>> "city_ref" in address_of_2022(address("Ring", "1", "Munich", "80331"))
    False
    """
    both: Address = {**address, "city_name": address["city"]}
    postal_code = address["postal_code"]
    if isinstance(postal_code, int) and postal_code <= _MOST_CITY_REF:
        both["city_ref"] = postal_code
    return both


def installation_infos(
    *,
    site_ref: str,
    name: str,
    address: Address,
    creation_date: str | None,
    latitude: float | None,
    longitude: float | None,
    timezone: str,
) -> InstallationInfos:
    """Return the answer of /installation_infos; `creation_date` is a local date, 2022-05-05.

    >>> list(
    ...     installation_infos(
    ...         site_ref="CH-0012",
    ...         name="Les Tilleuls 12",
    ...         address=address("Rue des Tilleuls", "12", "Renens", "1020"),
    ...         creation_date="2022-05-05",
    ...         latitude=None,
    ...         longitude=None,
    ...         timezone="Europe/Zurich",
    ...     ).items()
    ... )[3:]
    [('creation_date', '2022-05-05T00:00:00'), ('timezone', 'Europe/Zurich')]
    """
    optional: _Optional = {}
    if creation_date is not None:
        optional["creation_date"] = f"{creation_date}T00:00:00"
    if latitude is not None:
        optional["latitude"] = latitude
    if longitude is not None:
        optional["longitude"] = longitude
    return {
        "site_ref": site_ref,
        "name": name,
        "address": address,
        **optional,
        "timezone": timezone,
    }


def installation(site_id: str, infos: InstallationInfos) -> Installation:
    """Return the entry of a site in /all_installations.

    Accounts that want bare ids get those instead.
    """
    return {"id": site_id, **infos}


def meter_info(
    *, meter_id: str, meter_type: str, name: str, mode: str, prim_ad: int, is_rule_meter: bool
) -> MeterInfo:
    """Return the entry of a meter in /meter_info.

    `meter_type` is electricity, heating, cooling, cold_water, hot_water or charge_point; `mode` is
    consumption, production, introduction or battery.
    """
    return {
        "id": meter_id,
        "type": meter_type,
        "name": name,
        "mode": mode,
        "prim_ad": prim_ad,
        "is_rule_meter": is_rule_meter,
    }


def meter_info_of_2022(info: MeterInfo) -> MeterInfo:
    """Return an entry of /meter_info with the key of 2022, which `is_rule_meter` replaced."""
    return {**info, "virtual": info["is_rule_meter"]}


def sensor_info(
    *, sensor_id: str, name: str, sensor_type: str, unit: str, model: str
) -> SensorInfo:
    """Return the entry of a sensor in sensors_list."""
    return {"id": sensor_id, "name": name, "type": sensor_type, "unit": unit, "model": model}
