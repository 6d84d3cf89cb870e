"""The building as all checks share it: evidence, and its series, each found once."""

from functools import cached_property

from commonwatt.conformance.evidence import Evidence
from commonwatt.conformance.readings_at_hand import (
    Readings,
    find_raw_readings,
    find_sensor_values,
)
from commonwatt.conformance.series import Series
from commonwatt.conformance.series_search import find_series, meter_sources, site_sources


class Building(Evidence):
    """Evidence with the series that are looked at closely."""

    @cached_property
    def site_series(self) -> Series:
        """The site's series, of electricity where it has any."""
        return find_series(self, site_sources(self))

    @cached_property
    def meter_series(self) -> Series:
        """The series of one meter, of a consumer of electricity where there is one."""
        return find_series(self, meter_sources(self))

    def series(self, route: str) -> Series:
        """The series of an endpoint, site_data or meter_data."""
        return self.site_series if route == "site_data" else self.meter_series

    @cached_property
    def raw_readings(self) -> Readings:
        """Readings of a physical meter, around the days of validated data."""
        return find_raw_readings(self, self.meter_series.core[1])

    @cached_property
    def sensor_values(self) -> Readings:
        """Values of a sensor."""
        return find_sensor_values(self)

    def readings(self, route: str) -> Readings:
        """The readings of an endpoint, meter_data_raw or sensor_data."""
        return self.raw_readings if route == "meter_data_raw" else self.sensor_values
