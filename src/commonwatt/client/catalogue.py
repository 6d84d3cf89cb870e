"""Sites, meters and sensors, asked for; zones and meters are kept for the sake of the series."""

from urllib.parse import quote
from zoneinfo import ZoneInfo

from commonwatt.client.models import Meter, Sensor, Site
from commonwatt.client.wire.session import Session
from commonwatt.client.wire.wire import Request, Wire
from commonwatt.client.wire_habits import (
    items_of,
    meter_of,
    sensor_of,
    site_of,
)

Item = str | Site | Meter | Sensor


def id_of(item: Item) -> str:
    """Return the id of what is given by id or as an object."""
    return item if isinstance(item, str) else item.id


def path_of(*segments: Item) -> str:
    """Return a path of ids and fixed words; an id cannot leave its segment.

    >>> path_of("meter_info", "../auth")
    '/meter_info/..%2Fauth'

    Raises ValueError for the three that cannot be written as one.
    """
    names = [id_of(segment) for segment in segments]
    for name in names:
        if name in {"", ".", ".."}:
            raise ValueError(f"{name!r} is no id")
    return "".join(f"/{quote(name, safe='')}" for name in names)


class Catalogue:
    """The sites of a server with their meters and sensors."""

    def __init__(self, wire: Wire, session: Session) -> None:
        self._session = session
        self._zones: dict[str, ZoneInfo] = {}
        self._meters: dict[str, dict[str, Meter]] = {}
        # Many may want to know the same at once; one of them asks.
        self._lock = wire.lock()

    async def sites(self) -> list[Site]:
        """Return the sites of the account."""
        request = Request("GET", "/all_installations", "all_installations")
        return await self._session.ask(
            request, lambda content: [site_of(item) for item in items_of(content)]
        )

    async def site(self, site: str | Site) -> Site:
        """Return all about a site."""
        site_id = id_of(site)
        request = Request("GET", path_of("installation_infos", site_id), "installation_infos")
        return await self._session.ask(request, lambda content: site_of(content, site_id))

    async def meters(self, site: str | Site) -> list[Meter]:
        """Return the meters of a site."""
        request = Request("GET", path_of("meter_info", site), "meter_info")
        meters = await self._session.ask(
            request, lambda content: [meter_of(item) for item in items_of(content)]
        )
        self._meters[id_of(site)] = {meter.id: meter for meter in meters}
        return meters

    async def sensors(self, site: str | Site) -> list[Sensor]:
        """Return the sensors of a site."""
        request = Request("GET", path_of(site, "sensors_list"), route=None)
        return await self._session.ask(
            request, lambda content: [sensor_of(item) for item in items_of(content)]
        )

    async def zone(self, site: str | Site) -> ZoneInfo:
        """Return the zone of a site, asked for once. Raises ValueError where it has none."""
        if isinstance(site, Site) and site.timezone is not None:
            return _zone_of(site)
        site_id = id_of(site)
        async with self._lock:
            if site_id not in self._zones:
                self._zones[site_id] = _zone_of(await self.site(site_id))
        return self._zones[site_id]

    async def unit(self, site: str | Site, meter: str | Meter) -> str | None:
        """Return the unit of a meter, whose site's meters are asked for once; None if unknown."""
        if isinstance(meter, Meter) and meter.type is not None:
            return meter.unit
        site_id = id_of(site)
        async with self._lock:
            if site_id not in self._meters:
                await self.meters(site)
        known = self._meters[site_id].get(id_of(meter))
        return None if known is None else known.unit


def _zone_of(site: Site) -> ZoneInfo:
    if site.timezone is None:
        raise ValueError(
            f"the server does not say the time zone of site {site.id}; give the site as "
            f"Site({site.id!r}, timezone='Europe/Zurich') instead"
        )
    try:
        return ZoneInfo(site.timezone)
    except (KeyError, OSError):
        raise ValueError(f"{site.timezone!r} is no IANA zone") from None
