"""A client of a store on this machine: the published answers, without server and account."""

import math
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, TypeVar

import orjson

from commonwatt.api.climkit import lists, routes
from commonwatt.api.endpoint.endpoint import Endpoint, RequestContext, RequestData
from commonwatt.api.http.problems import KNOWN_ERRORS, problem_of
from commonwatt.api.services import SettledGroups
from commonwatt.app.accounts.authorize import (
    AccountAccess,
    GrantedSite,
    Habits,
    Role,
    SiteList,
    UnknownSite,
)
from commonwatt.app.accounts.scope import WHOLE
from commonwatt.app.ports import Snapshot, Store
from commonwatt.client import Climkit
from commonwatt.client.calls import Calls
from commonwatt.client.credentials import Credentials
from commonwatt.client.series.series_calls import OnPart
from commonwatt.client.wire.sync_wire import FairLock
from commonwatt.client.wire.wire import Answer, Request
from commonwatt.domain.metering.catalogue import SiteCatalogue

T = TypeVar("T")

_WHO = "who has the store"
_ALL_SITES = "/all_installations"
_ENDPOINTS: Mapping[str, Endpoint[Any]] = {
    "/meter_data/{site_id}/{meter_id}": routes.METER_DATA,
    "/site_data/{site_id}/{meter_type}": routes.SITE_DATA,
    "/meter_data_raw/{site_id}/{meter_id}": routes.METER_DATA_RAW,
    "/{site_id}/sensor_data/{sensor_id}": routes.SENSOR_DATA,
    "/installation_infos/{site_id}": routes.INSTALLATION_INFOS,
    "/meter_info/{site_id}": routes.METER_INFO,
    "/{site_id}/sensors_list": routes.SENSORS_LIST,
}
_PATHS = [
    (re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template)), endpoint)
    for template, endpoint in _ENDPOINTS.items()
]


class LocalClimkit(Climkit):
    """A `Climkit` that asks a store itself: all of it, at any pace.

    `on_part`: as of `Climkit`. The store is closed by whoever opened it.
    """

    def __init__(self, store: Store, *, on_part: OnPart | None = None) -> None:
        credentials = Credentials("the store", _WHO, "")
        self.url, self.username = credentials.url, credentials.username
        self._calls = Calls(_LocalWire(store), credentials, math.inf, "utc", on_part)

    def close(self) -> None:
        """Nothing is open."""


class _LocalWire:
    """Answers requests from a store, as the server would."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._settled = SettledGroups()

    async def send(self, request: Request, token: str | None) -> Answer:  # noqa: ARG002
        """Answer one request; whoever has the store need not sign in."""
        if request.path == "/auth":
            return Answer(200, {}, orjson.dumps({"access_token": "local"}))
        try:
            with self._store.snapshot() as snapshot:
                body = self._answer(snapshot, request)
        except KNOWN_ERRORS as error:
            response = problem_of(error).response()
            return Answer(response.status_code, {}, bytes(response.body))
        return Answer(200, {}, body)

    def _answer(self, snapshot: Snapshot, request: Request) -> bytes:
        if request.path == _ALL_SITES:
            sites = snapshot.catalogue.sites()
            seen = [(snapshot.catalogue.catalogue(site.number), WHOLE) for site in sites]
            return lists.all_installations(snapshot, seen, _access(None))
        found = ((path.fullmatch(request.path), endpoint) for path, endpoint in _PATHS)
        path, endpoint = next((match.groupdict(), q) for match, q in found if match)
        sent = RequestData(
            path=path,
            query=list((request.query or {}).items()),
            accept="",
            unread=None,
            raw_body=b"" if request.body is None else orjson.dumps(request.body),
        )
        context = self._context(snapshot, path["site_id"])
        content = endpoint.answer(context, endpoint.parse(context, sent))
        assert isinstance(content, bytes), "the published surface answers JSON"
        return content

    def _context(self, snapshot: Snapshot, site_id: str) -> RequestContext:
        site = next((each for each in snapshot.catalogue.sites() if each.id == site_id), None)
        if site is None:
            raise UnknownSite(site_id)
        catalogue = snapshot.catalogue.catalogue(site.number)
        access = _access(_whole(snapshot, catalogue))
        assert access.site is not None, "it was just given"
        return RequestContext(snapshot, access, access.site, catalogue, self._settled, time.time())

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)  # noqa: ASYNC251  # no loop waits for this coroutine

    async def again(self, action: Callable[[], Awaitable[T]]) -> T:
        """Do it once: what a store cannot answer now is told."""
        return await action()

    def connection(self) -> AbstractAsyncContextManager[object]:
        """Return the right to ask: everybody has it."""
        return nullcontext()

    def lock(self) -> FairLock:
        """Return a new lock."""
        return FairLock()


def _whole(snapshot: Snapshot, catalogue: SiteCatalogue) -> GrantedSite:
    """A site as one may see it to whom nothing of it is closed."""
    return GrantedSite(
        number=catalogue.site.number,
        id=catalogue.site.id,
        generation=snapshot.catalogue.generation(catalogue.site.number),
        catalogue_generation=catalogue.generation,
        timezone=catalogue.site.timezone,
        scope=WHOLE,
    )


def _access(site: GrantedSite | None) -> AccountAccess:
    return AccountAccess(
        account=_WHO,
        role=Role.OPERATOR,
        disabled=False,
        token_version=0,
        rate_limited=False,
        site_list=SiteList.OBJECTS,
        habits=Habits.CURRENT,
        site=site,
    )
