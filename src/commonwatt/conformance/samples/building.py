"""The building as all checks share it: evidence, and its series, each found once."""

from functools import cached_property

from commonwatt.conformance.asking.session import Session
from commonwatt.conformance.samples.evidence import Evidence, MeterSeen, Scope
from commonwatt.conformance.samples.readings_at_hand import (
    Readings,
    find_raw_readings,
    find_sensor_values,
)
from commonwatt.conformance.samples.series import Series
from commonwatt.conformance.samples.series_search import (
    find_series,
    meter_sources,
    ranked_meters,
    site_sources,
)


class Building(Evidence):
    """Evidence with the series that are looked at closely."""

    @cached_property
    def kinds(self) -> "list[BuildingOfKind]":
        """The building as if it had the meters of one kind only, for each kind that it has.

        Consumers of electricity come first, rule meters last; at most as many as the scope allows.
        """
        names = dict.fromkeys(meter.kind for meter in ranked_meters(self))
        return [
            BuildingOfKind(self.session, self.scope, name)
            for name in list(names)[: self.scope.most_kinds]
        ]

    @property
    def kinds_left_out(self) -> int:
        """How many kinds of meters the scope leaves out."""
        return len({meter.kind for meter in self.meters}) - len(self.kinds)

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


class BuildingOfKind(Building):
    """The building with the meters of one kind only."""

    def __init__(self, session: Session, scope: Scope, kind: str) -> None:
        super().__init__(session, scope)
        self.kind = kind

    @cached_property
    def meters(self) -> list[MeterSeen]:
        """The meters of the kind."""
        return [meter for meter in super().meters if meter.kind == self.kind]
