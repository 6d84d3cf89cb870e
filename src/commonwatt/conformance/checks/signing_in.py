"""The page's part 1: authentication."""

import base64
import json
from decimal import Decimal

from commonwatt.conformance.asking.exchanges import Bearer
from commonwatt.conformance.asking.session import can_be_borne
from commonwatt.conformance.check import Check
from commonwatt.conformance.judging.verdicts import (
    CannotCheck,
    Habit,
    Judgement,
    departs,
    failed,
    held,
)
from commonwatt.conformance.samples.building import Building
from commonwatt.conformance.samples.evidence import list_request

_VALID_S = 900
_SKEW_S = 120
_CLAIM_S = 5
_MILLISECONDS_FROM = 100_000_000_000
_AFTER_EXPIRY_S = 5.0
_WRONG = "not-the-password-of-this-account"


def _answer(building: Building) -> Judgement:
    exchange = building.session.sign_in()
    content = exchange.content
    if exchange.status != 200:
        return failed(f"status {exchange.status}", exchange)
    if not isinstance(content, dict):
        return failed(exchange.fault or "the body is no object", exchange)
    token = content.get("access_token")
    if not isinstance(token, str) or not token:
        return failed("there is no access_token", exchange)
    if not can_be_borne(token):
        return failed("the access_token is none that the header of a request can bear", exchange)
    return held("an access_token came", exchange)


def _valid_until(building: Building) -> Judgement:
    exchange = building.session.sign_in()
    content = _signed_in(building)
    if "valid_until" not in content:
        return departs(Habit.NO_VALID_UNTIL, "there is no valid_until", exchange)
    end = content["valid_until"]
    if not isinstance(end, dict) or "$date" not in end:
        return failed("valid_until is no object with $date", exchange)
    instant = end["$date"]
    if isinstance(instant, bool) or not isinstance(instant, int):
        return failed("$date is no whole number", exchange)
    if instant < _MILLISECONDS_FROM:
        return failed("$date does not count milliseconds since 1970", exchange)
    return held("valid_until.$date counts milliseconds", exchange)


def _fifteen_minutes(building: Building) -> Judgement:
    exchange = building.session.sign_in()
    left_s = _end_s(building) - (building.session.signed_in_at or 0.0)
    if abs(left_s - _VALID_S) > _SKEW_S:
        return failed(f"the token ends {left_s:.0f} s after it was given", exchange)
    return held(f"the token ends {left_s:.0f} s after it was given", exchange)


def _web_token(building: Building) -> Judgement:
    exchange = building.session.sign_in()
    claims = _claims(str(_signed_in(building)["access_token"]))
    if claims is None:
        return failed(
            "access_token is not three base64url parts with JSON in the first two", exchange
        )
    ends_at = claims.get("exp")
    if not isinstance(ends_at, int | Decimal) or isinstance(ends_at, bool):
        return held("a JSON Web Token that does not say when it ends", exchange)
    if abs(float(ends_at) - _end_s(building)) > _CLAIM_S:
        return failed("the token's exp is another instant than valid_until", exchange)
    return held("the token's exp is valid_until", exchange)


def _wrong_password(building: Building) -> Judgement:
    exchange = building.ask(building.session.sign_in_request(_WRONG))
    if exchange.is_refused:
        return held(f"refused with {exchange.status}", exchange)
    return failed(f"status {exchange.status} with a wrong password", exchange)


def _expiry(building: Building) -> Judgement:
    if not building.scope.wait_for_expiry:
        raise CannotCheck("takes 15 minutes; --wait-for-expiry waits for it")
    session = building.session
    session.token()
    session.sleep(max(0.0, _end_s(building) - session.clock()) + _AFTER_EXPIRY_S)
    exchange = building.ask(list_request("all_installations", bearer=Bearer.FIRST))
    if exchange.is_refused:
        return held(f"refused with {exchange.status} after its end", exchange)
    return failed(f"status {exchange.status} with a token whose time is over", exchange)


def _signed_in(building: Building) -> dict[str, object]:
    content = building.session.sign_in().content
    if not isinstance(content, dict) or not isinstance(content.get("access_token"), str):
        raise CannotCheck("the sign-in gave no token")
    return content


def _end_s(building: Building) -> float:
    end = _signed_in(building).get("valid_until")
    instant = end.get("$date") if isinstance(end, dict) else None
    if isinstance(instant, bool) or not isinstance(instant, int) or instant < _MILLISECONDS_FROM:
        raise CannotCheck("valid_until does not tell an instant")
    return instant / 1000


def _claims(token: str) -> dict[str, object] | None:
    """What a JWT says of itself, None where it is none; its signature is the server's affair."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        header, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in parts[:2])
    except ValueError:
        return None
    return claims if isinstance(header, dict) and isinstance(claims, dict) else None


CHECKS = (
    Check(
        "auth.answer",
        "Authentication through username-password to get an access token",
        "200 and a JSON object with access_token, a text that a header can bear",
        _answer,
    ),
    Check(
        "auth.valid_until",
        "'valid_until': {'$date': <int: epoch-time-in-milliseconds>}",
        "valid_until is an object whose $date is a whole number of milliseconds",
        _valid_until,
    ),
    Check(
        "auth.15_minutes",
        "they receive a token valid for 15 minutes",
        "valid_until is 15 minutes after the sign-in, give or take 2 for clocks",
        _fifteen_minutes,
    ),
    Check(
        "auth.web_token",
        "Climkit's API uses JSON Web Tokens",
        "access_token is a JSON Web Token; its exp, if any, is the instant of valid_until",
        _web_token,
    ),
    Check(
        "auth.wrong_password",
        "Once the user logs in with their credentials (username and password)",
        "a wrong password is refused: a status from 400 to 499",
        _wrong_password,
    ),
)

# Last of all, for it waits.
LAST_CHECKS = (
    Check(
        "auth.expiry",
        "a token valid for 15 minutes",
        "after valid_until the token is refused: a status from 400 to 499",
        _expiry,
    ),
)
