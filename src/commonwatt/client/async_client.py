"""The client for tasks."""

from types import TracebackType
from typing import Self

from commonwatt.client.calls import Calls
from commonwatt.client.credentials import find_credentials
from commonwatt.client.models import Meter, Sensor, Site
from commonwatt.client.series.series import Series
from commonwatt.client.series.series_calls import OnPart
from commonwatt.client.stamps import NaiveTime, When
from commonwatt.client.wire.async_wire import AsyncWire


class AsyncClimkit:
    """`commonwatt.client.Climkit` for tasks: the same arguments, methods and answers, awaited.

    Tasks of one event loop may share a client; however many ask at once, it signs in once and
    sends no more than the server takes. It is closed by `aclose()` or by `async with`.
    """

    def __init__(
        self,
        url: str | None = None,
        username: str | None = None,
        password: str | None = None,
        *,
        naive_time: NaiveTime = "auto",
        requests_per_second: float = 1.0,
        timeout: float = 30.0,
        attempts: int = 5,
        on_part: OnPart | None = None,
    ) -> None:
        credentials = find_credentials(url, username, password)
        self.url, self.username = credentials.url, credentials.username
        self._wire = AsyncWire(credentials.url, timeout, attempts)
        self._calls = Calls(self._wire, credentials, requests_per_second, naive_time, on_part)

    def __repr__(self) -> str:
        return f"AsyncClimkit({self.url!r}, {self.username!r})"

    @property
    def naive_time(self) -> NaiveTime:
        """How the server reads times without a zone, as told or found out so far."""
        return self._calls.series.naive_time

    async def sites(self) -> list[Site]:
        """Return what `Climkit.sites` does."""
        return await self._calls.catalogue.sites()

    async def site(self, site: str | Site) -> Site:
        """Return what `Climkit.site` does."""
        return await self._calls.catalogue.site(site)

    async def meters(self, site: str | Site) -> list[Meter]:
        """Return what `Climkit.meters` does."""
        return await self._calls.catalogue.meters(site)

    async def sensors(self, site: str | Site) -> list[Sensor]:
        """Return what `Climkit.sensors` does."""
        return await self._calls.catalogue.sensors(site)

    async def site_data(
        self,
        site: str | Site,
        type: str,  # noqa: A002  # the API's word
        start: When | None = None,
        end: When | None = None,
        sampling: str = "15T",
        *,
        meters: bool = False,
    ) -> Series:
        """Return what `Climkit.site_data` does."""
        return await self._calls.series.site_data(site, type, start, end, sampling, meters=meters)

    async def meter_data(
        self,
        site: str | Site,
        meter: str | Meter,
        start: When | None = None,
        end: When | None = None,
        sampling: str = "15T",
    ) -> Series:
        """Return what `Climkit.meter_data` does."""
        return await self._calls.series.meter_data(site, meter, start, end, sampling)

    async def meter_data_raw(
        self,
        site: str | Site,
        meter: str | Meter,
        start: When | None = None,
        end: When | None = None,
    ) -> Series:
        """Return what `Climkit.meter_data_raw` does."""
        return await self._calls.series.meter_data_raw(site, meter, start, end)

    async def sensor_data(
        self,
        site: str | Site,
        sensor: str | Sensor,
        start: When | None = None,
        end: When | None = None,
    ) -> Series:
        """Return what `Climkit.sensor_data` does."""
        return await self._calls.series.sensor_data(site, sensor, start, end)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._wire.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()
