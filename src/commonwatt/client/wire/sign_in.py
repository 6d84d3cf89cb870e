"""The token of a client: kept, renewed before it ends, once however many are waiting."""

import json
import re
import time
from copy import copy
from dataclasses import replace
from typing import Never
from zoneinfo import ZoneInfo

from commonwatt.client.credentials import Credentials
from commonwatt.client.errors import ClimkitError, NotFound, SignInRefused, SurprisingAnswer
from commonwatt.client.stamps import received_instants
from commonwatt.client.wire.answers import answered_at, decoded, raise_fault, surprising
from commonwatt.client.wire.wire import Answer, Request, Wire

# What the page of the API says; servers of 2019 did not say it themselves.
_USUAL_LIFE_S = 900.0
_RENEWED_BEFORE_S = 60.0
# What a header can bear.
_TOKEN = re.compile("[!-~]+")
_SHORTEST_HIDDEN = 8
_LIKE_A_TOKEN = re.compile(rb"[\w.+/=-]{24,}")


class SignIn:
    """Signs in when a token is wanted and there is none, or an old one.

    Whoever waits while another signs in gets what the other got: the token or the refusal.
    """

    def __init__(self, wire: Wire, credentials: Credentials) -> None:
        self._wire = wire
        self._credentials = credentials
        self._lock = wire.lock()
        self._token: str | None = None
        self._renewed_at = 0.0
        self._sign_ins = 0
        self._refusal: ClimkitError | None = None

    async def token(self) -> str:
        """Return a token that is good for a while. Raises SignInRefused and what sending raises."""
        sign_ins = self._sign_ins
        if (token := self._kept()) is not None:
            return token
        async with self._lock:
            if (token := self._kept()) is not None:
                return token
            if self._sign_ins != sign_ins and self._refusal is not None:
                raise copy(self._refusal)  # each has a trace of its own
            self._refusal = None
            try:
                return await self._sign_in()
            except ClimkitError as refusal:
                self._refusal = refusal
                raise
            finally:
                self._sign_ins += 1

    def forget(self, token: str) -> None:
        """Drop a token that the server refused, unless it has been renewed meanwhile."""
        if self._token == token:
            self._token = None

    def _kept(self) -> str | None:
        return self._token if time.monotonic() < self._renewed_at else None

    async def _sign_in(self) -> str:
        body = {"username": self._credentials.username, "password": self._credentials.password}
        request = Request("POST", "/auth", route=None, body=body)
        asked_at = time.monotonic()
        answer = await self._wire.send(request, token=None)
        shown = _without_secrets(answer, self._credentials.password)
        if answer.status != 200:
            self._raise_refusal(request, shown)
        try:
            fields = decoded(answer)
        except SurprisingAnswer:
            raise surprising("JSON should have come", shown) from None
        token = fields.get("access_token") if isinstance(fields, dict) else None
        if (
            not isinstance(fields, dict)
            or not isinstance(token, str)
            or not _TOKEN.fullmatch(token)
        ):
            raise surprising("an access_token should have come", shown)
        life_s = _life_s(fields.get("valid_until"), answer)
        self._token = token
        # Counted from the question, so that a slow answer does not lengthen a life.
        self._renewed_at = asked_at + life_s - min(_RENEWED_BEFORE_S, life_s / 5)
        return token

    def _raise_refusal(self, request: Request, answer: Answer) -> Never:
        try:
            raise_fault(request, answer)
        except NotFound as error:
            if answer.status == 403:
                raise SignInRefused(str(error)) from None
            raise NotFound(f"{error}; is {self._credentials.url} the address of the API?") from None


def _without_secrets(answer: Answer, password: str) -> Answer:
    """Return an answer to a sign-in as it may be shown, whatever the server put into it.

    A short password may be a word of its own; left out of a sentence it would be told by that.
    """
    forms = {password} if len(password) >= _SHORTEST_HIDDEN else set()
    for _ in range(2):  # as text of JSON, and as text in such a text
        forms |= {json.dumps(form, ensure_ascii=b)[1:-1] for form in forms for b in (True, False)}
    body = answer.body
    for form in sorted(forms, key=len, reverse=True):
        body = body.replace(form.encode(), b"***")
    return replace(answer, body=_LIKE_A_TOKEN.sub(b"***", body))


def _life_s(valid_until: object, answer: Answer) -> float:
    """Return how long a token lives [s], by the server's clock where it tells its time.

    So a client whose own clock is wrong neither signs in at every question nor too late.
    """
    try:
        until_at = received_instants([valid_until], ZoneInfo("UTC"))[0]
    except ValueError:
        return _USUAL_LIFE_S
    life_s = until_at - answered_at(answer)
    return life_s if life_s > 0 else _USUAL_LIFE_S
