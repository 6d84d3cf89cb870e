"""What there is to look at: the site, its meters and sensors, asked for when a check needs them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from commonwatt.conformance.asking.exchanges import Bearer, Exchange, Request
from commonwatt.conformance.asking.session import Session
from commonwatt.conformance.judging import published
from commonwatt.conformance.judging.rows import list_fault, objects
from commonwatt.conformance.judging.verdicts import CannotCheck

UNKNOWN_ID = "ffffffffffffffffffffffff"
_TRIED = 4
_ID_KEYS = ("id", "_id", "site_id")


@dataclass(frozen=True, slots=True)
class Scope:
    """What the caller of the kit allows and knows.

    ``site`` is looked at (None: the first listed that has meters). ``foreign_site`` exists but is
    not granted to the account. ``fast``: the server is one's own, limits are off and not checked.
    ``wait_for_expiry``: stay until the first token has ended. ``most_kinds``: at most so many kinds
    of meters are looked at closely, each with a dozen requests.
    """

    site: str | None = None
    foreign_site: str | None = None
    fast: bool = False
    wait_for_expiry: bool = False
    most_kinds: int = 12


@dataclass(frozen=True, slots=True)
class MeterSeen:
    """A meter as listed, whatever the habits of the list."""

    id: str
    type: str
    mode: str
    is_rule_meter: bool

    @property
    def kind(self) -> str:
        """Its type and mode, and whether it is a rule meter, in words."""
        rule = ", rule" if self.is_rule_meter else ""
        return f"{self.type or 'no type'} {self.mode or 'no mode'}{rule}"

    @property
    def shares_sun(self) -> bool:
        """Whether the page gives it self and ext: a consumer of electricity."""
        return self.type == "electricity" and self.mode == "consumption"


def list_request(route: str, site: str | None = None, bearer: Bearer = Bearer.TOKEN) -> Request:
    """A request for one of the lists."""
    paths = {
        "all_installations": "/all_installations",
        "installation_infos": f"/installation_infos/{site}",
        "meter_info": f"/meter_info/{site}",
        "sensors_list": f"/{site}/sensors_list",
    }
    return Request(route, "GET", paths[route], bearer=bearer)


def site_ids(entries: Sequence[object]) -> list[str]:
    """The ids in a list of sites: of objects, or bare."""
    found = []
    for entry in entries:
        keys = (entry.get(key) for key in _ID_KEYS) if isinstance(entry, dict) else (entry,)
        found += [key for key in keys if isinstance(key, str)][:1]
    return found


class Evidence:
    """The building that checks look at. Raises CannotCheck where something is not there."""

    def __init__(self, session: Session, scope: Scope) -> None:
        self.session = session
        self.scope = scope

    def ask(self, request: Request) -> Exchange:
        """Ask, each request once."""
        return self.session.ask(request)

    def ask_again(self, request: Request) -> Exchange:
        """Ask, whether it was asked before or not: the answer is of now."""
        return self.session.ask_again(request)

    @property
    def site_list(self) -> Exchange:
        """The answer of /all_installations."""
        return self.ask(list_request("all_installations"))

    @cached_property
    def listed_sites(self) -> list[str]:
        """The ids of the sites that are listed."""
        content = self.site_list.content
        return site_ids(content) if isinstance(content, list) else []

    @cached_property
    def site(self) -> str:
        """The id of the site that is looked at."""
        if self.scope.site is not None:
            return self.scope.site
        for site in self.listed_sites:
            answer = self.ask(list_request("meter_info", site))
            if list_fault(answer) is None and answer.content:
                return site
        if not self.listed_sites:
            raise CannotCheck("no site is listed; --site names one")
        return self.listed_sites[0]

    @property
    def infos(self) -> Exchange:
        """The answer of /installation_infos."""
        return self.ask(list_request("installation_infos", self.site))

    @cached_property
    def infos_object(self) -> dict[str, object]:
        """The parameters of the site."""
        if not self.infos.is_answered or not isinstance(self.infos.content, dict):
            raise CannotCheck("/installation_infos was not answered with an object")
        return self.infos.content

    @cached_property
    def zone(self) -> ZoneInfo:
        """The zone of the site."""
        name = self.infos_object.get("timezone")
        try:
            return ZoneInfo(str(name))
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise CannotCheck(f"the site's timezone {name!r} is no IANA zone") from error

    @property
    def meter_list(self) -> Exchange:
        """The answer of /meter_info."""
        return self.ask(list_request("meter_info", self.site))

    @cached_property
    def meters(self) -> list[MeterSeen]:
        """The meters of the site."""
        return [
            MeterSeen(
                id=str(entry["id"]),
                type=str(entry.get("type", "")),
                mode=str(entry.get("mode", "")),
                is_rule_meter=entry.get("is_rule_meter", entry.get("virtual")) is True,
            )
            for entry in objects(self.meter_list)
            if "id" in entry
        ]

    @property
    def sensor_list(self) -> Exchange:
        """The answer of /sensors_list."""
        return self.ask(list_request("sensors_list", self.site))

    @cached_property
    def sensors(self) -> list[str]:
        """The ids of the site's sensors."""
        return [str(entry["id"]) for entry in objects(self.sensor_list) if "id" in entry]

    @cached_property
    def open_meter(self) -> MeterSeen:
        """A physical meter whose data the account may see; a grant may be narrower than a site."""
        physical = [meter for meter in self.meters if not meter.is_rule_meter]
        if not physical:
            raise CannotCheck("the site has no physical meters")
        for meter in physical[:_TRIED]:
            if not self.ask(self._of_meter("meter_data", meter)).is_refused:
                return meter
        raise CannotCheck("the data of no meter are answered")

    def request(self, route: str, bearer: Bearer = Bearer.TOKEN) -> Request:
        """A plain request of any endpoint, without a period."""
        if route == "sensor_data":
            if not self.sensors:
                raise CannotCheck("the site has no sensors")
            path = f"/{self.site}/sensor_data/{self.sensors[0]}"
            return Request(route, "GET", path, bearer=bearer)
        if route == "site_data":
            path = f"/site_data/{self.site}/{self.media[0]}"
            return Request(route, "POST", path, "{}", bearer=bearer)
        if route in {"meter_data", "meter_data_raw"}:
            return self._of_meter(route, self.open_meter, bearer)
        return list_request(route, None if route == "all_installations" else self.site, bearer)

    def _of_meter(self, route: str, meter: MeterSeen, bearer: Bearer = Bearer.TOKEN) -> Request:
        return Request(route, "POST", f"/{route}/{self.site}/{meter.id}", "{}", bearer=bearer)

    @cached_property
    def media(self) -> list[str]:
        """The types of meter data that the site has, electricity first."""
        types = {meter.type for meter in self.meters}
        found = [each for each in published.METER_TYPES if each in types]
        if not found:
            raise CannotCheck("the site has no meters")
        return found
