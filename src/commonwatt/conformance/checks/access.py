"""Who may ask, how often, and for what: tokens, limits, foreign and unknown ids."""

from functools import partial

from commonwatt.conformance.asking.exchanges import Bearer, Request
from commonwatt.conformance.check import Check
from commonwatt.conformance.judging import published
from commonwatt.conformance.judging.verdicts import CannotCheck, Judgement, failed, held
from commonwatt.conformance.samples.building import Building
from commonwatt.conformance.samples.evidence import UNKNOWN_ID, list_request
from commonwatt.conformance.samples.series_search import site_source

_AT_ONCE = 3
_BURSTS = 3
_LIMIT_S = 1.0


def _needs_token(route: str, building: Building) -> Judgement:
    exchanges = [
        building.ask(building.request(route, bearer)) for bearer in (Bearer.NONE, Bearer.FORGED)
    ]
    names = ("without a token", "with a forged signature")
    for name, exchange in zip(names, exchanges, strict=True):
        if not exchange.is_refused:
            return failed(f"status {exchange.status} {name}", exchange)
    return held("refused without a token and with a forged one", *exchanges)


def _is_limited(route: str, building: Building) -> Judgement:
    if building.scope.fast:
        raise CannotCheck("--fast: the server's limits are off")
    request, took_s = building.request(route), 0.0
    for _ in range(_BURSTS):
        exchanges = building.session.ask_at_once(request, _AT_ONCE)
        refused = sum(each.status >= 400 for each in exchanges)
        if refused:
            return held(f"{refused} of {_AT_ONCE} at once refused", *exchanges)
        took_s = max(each.ended_at for each in exchanges) - min(each.began_at for each in exchanges)
        if took_s < _LIMIT_S:
            return failed(f"{_AT_ONCE} requests in {took_s:.2f} s, none refused", *exchanges)
    raise CannotCheck(f"{_AT_ONCE} requests at once took {took_s:.1f} s, too slow to tell")


def _unknown_site(building: Building) -> Judgement:
    return _none_tells(_site_requests(UNKNOWN_ID), building, "a site that is not there")


def _foreign_site(building: Building) -> Judgement:
    foreign = building.scope.foreign_site
    if foreign is None:
        raise CannotCheck("no site is known that the account may not see; --foreign-site names one")
    if foreign in building.listed_sites:
        return failed(f"site {foreign} is listed", building.site_list)
    return _none_tells(_site_requests(foreign), building, "a foreign site")


def _site_requests(site: str) -> list[Request]:
    routes = ("installation_infos", "meter_info", "sensors_list")
    lists = [list_request(route, site) for route in routes]
    return [*lists, site_source(site, "electricity").request(None, None)]


def _unknown_meter(building: Building) -> Judgement:
    requests = [
        Request(route, "POST", f"/{route}/{building.site}/{UNKNOWN_ID}", "{}")
        for route in ("meter_data", "meter_data_raw")
    ]
    return _none_tells(requests, building, "a meter that is not there")


def _unknown_sensor(building: Building) -> Judgement:
    request = Request("sensor_data", "GET", f"/{building.site}/sensor_data/{UNKNOWN_ID}")
    return _none_tells([request], building, "a sensor that is not there")


def _none_tells(requests: list[Request], building: Building, what: str) -> Judgement:
    exchanges = [building.ask(request) for request in requests]
    for exchange in exchanges:
        if exchange.tells_something:
            return failed(f"status {exchange.status} for {what}", exchange)
    return held(f"nothing is told of {what}", *exchanges)


CHECKS = (
    *(
        Check(
            f"token.{route}",
            f"/{route}: Auth required: YES with a valid Token",
            "refused without a token and with a forged one: a status from 400 to 499",
            partial(_needs_token, route),
        )
        for route in published.WITH_TOKEN
    ),
    Check(
        "access.unknown_site",
        "a token … that allows them to access authorized resources",
        "a site that does not exist: an error, or an empty list",
        _unknown_site,
    ),
    Check(
        "access.foreign_site",
        "metering and energy data from authorized Climkit sites",
        "a site without a grant: not listed, and an error or an empty list",
        _foreign_site,
    ),
    Check(
        "access.unknown_meter",
        "meter_id: the ID of the meter",
        "a meter that does not exist: an error, or an empty list",
        _unknown_meter,
    ),
    Check(
        "access.unknown_sensor",
        "sensor_id: the ID of the sensor object",
        "a sensor that does not exist: an error, or an empty list",
        _unknown_sensor,
    ),
    *(
        Check(
            f"limit.{route}",
            f"/{route}: Requests limit: 1/second",
            f"of {_AT_ONCE} requests within a second at least one is refused",
            partial(_is_limited, route),
        )
        for route in published.LIMITED
    ),
)
