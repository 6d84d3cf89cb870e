"""The client for threads."""

from types import TracebackType
from typing import Self

from commonwatt.client.calls import Calls
from commonwatt.client.credentials import find_credentials
from commonwatt.client.models import Meter, Sensor, Site
from commonwatt.client.series.series import Series
from commonwatt.client.series.series_calls import OnPart
from commonwatt.client.stamps import NaiveTime, When
from commonwatt.client.wire.sync_wire import SyncWire, run


class Climkit:
    """A client of a server of the Climkit Developer API v1.

    `url`, `username`, `password`: what is not given comes from CLIMKIT_URL (else the published
    address), CLIMKIT_USERNAME, CLIMKIT_PASSWORD, or the keyring of the operating system where the
    package `keyring` is installed. `naive_time`: how the server reads times without a zone, "utc"
    or "local"; with "auto" the client is right either way, and finds out. `requests_per_second`:
    of each route; more than one only for a server of your own. `timeout`: the longest silence of
    the server [s]. `attempts`: how often a question is sent at most, when connections break or the
    server fails or is asked too often. `on_part`: told how many parts of a long window have come,
    of how many, before the first and after each.

    Sites, meters and sensors are given by id or as objects. Windows are [start, end): dates mean
    the site's own days, instants without an offset are UTC; without an end until now, without a
    start from a day before the end.

    Threads may share a client. It signs in with the first question and is closed by `close()` or
    by `with`. All methods raise what `commonwatt.client.errors` draws, and ValueError where an
    argument is wrong.
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
        self._wire = SyncWire(credentials.url, timeout, attempts)
        self._calls = Calls(self._wire, credentials, requests_per_second, naive_time, on_part)

    def __repr__(self) -> str:
        return f"Climkit({self.url!r}, {self.username!r})"

    @property
    def naive_time(self) -> NaiveTime:
        """How the server reads times without a zone, as told or found out so far."""
        return self._calls.series.naive_time

    def sites(self) -> list[Site]:
        """Return the sites that the account may see; of some servers their ids alone."""
        return run(self._calls.catalogue.sites())

    def site(self, site: str | Site) -> Site:
        """Return all about a site."""
        return run(self._calls.catalogue.site(site))

    def meters(self, site: str | Site) -> list[Meter]:
        """Return the meters of a site."""
        return run(self._calls.catalogue.meters(site))

    def sensors(self, site: str | Site) -> list[Sensor]:
        """Return the sensors of a site."""
        return run(self._calls.catalogue.sensors(site))

    def site_data(
        self,
        site: str | Site,
        type: str,  # noqa: A002  # the API's word
        start: When | None = None,
        end: When | None = None,
        sampling: str = "15T",
        *,
        meters: bool = False,
    ) -> Series:
        """Return the site's quantities of a type of meters, in kWh or m3 a period.

        `type`: electricity, heating, cooling, cold_water, hot_water, charge_point. `sampling`: 15T,
        H, D, M, Y; longer periods are the site's own, always whole, and belong to the window in
        which they begin. `meters`: ask for the columns of single meters too, which not every server
        has.

        Columns of electricity: conso_total, prod_total, from_ext, self, to_ext and, where there is
        storage, storage_…; of all others conso_total.
        """
        return run(self._calls.series.site_data(site, type, start, end, sampling, meters=meters))

    def meter_data(
        self,
        site: str | Site,
        meter: str | Meter,
        start: When | None = None,
        end: When | None = None,
        sampling: str = "15T",
    ) -> Series:
        """Return the validated quantities of a meter, in kWh or m3 a period.

        Columns: total; of a consumer of electricity also self (from the roof) and ext (from the
        grid).
        """
        return run(self._calls.series.meter_data(site, meter, start, end, sampling))

    def meter_data_raw(
        self,
        site: str | Site,
        meter: str | Meter,
        start: When | None = None,
        end: When | None = None,
    ) -> Series:
        """Return the readings of a meter as it sent them; without a window the latest.

        Columns are its registers, mostly indexes: en_im and en_ex, heat_energy_kwh, or vol_m3.
        Raises BadRequest for a rule meter, which has none.
        """
        return run(self._calls.series.meter_data_raw(site, meter, start, end))

    def sensor_data(
        self,
        site: str | Site,
        sensor: str | Sensor,
        start: When | None = None,
        end: When | None = None,
    ) -> Series:
        """Return the values of a sensor; without a window the latest.

        One column, value. The unit is that of the sensor given as an object, else None.
        """
        return run(self._calls.series.sensor_data(site, sensor, start, end))

    def close(self) -> None:
        """Close all connections."""
        self._wire.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
