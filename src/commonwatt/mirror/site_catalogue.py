"""Declaring a site as a Climkit server has it; meters that are met first are looked at."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from commonwatt.app.declaring.declaration import NOT_SAID, MeterDeclaration
from commonwatt.client import (
    BadRequest,
    Climkit,
    Meter,
    NotFound,
    Sensor,
    Site,
    SurprisingAnswer,
)
from commonwatt.domain.metering.catalogue import Meter as OwnMeter
from commonwatt.domain.metering.catalogue import SiteCatalogue
from commonwatt.mirror.copied import Copied
from commonwatt.mirror.declared_site import (
    NoRole,
    Role,
    declared_meter,
    declared_sensor,
    declared_site,
    label,
    prim_ads,
    role_of,
)
from commonwatt.mirror.meter_feeds import Feed, Look, feed_of, look_at
from commonwatt.mirror.new_meters import NewMeters
from commonwatt.mirror.target import CannotMirror, Target


@dataclass(frozen=True, slots=True)
class FedMeter:
    """A meter there, the same one here, and from what it is fed."""

    meter: Meter
    own: OwnMeter
    feed: Feed


@dataclass(frozen=True, slots=True)
class DeclaredSite:
    """A site that is declared here, with the meters and sensors to be copied.

    ``listed`` are all meters that the server lists, also those that are left out.
    """

    site: Site
    number: int
    timezone: str
    meters: Sequence[FedMeter]
    sensors: Sequence[Sensor]
    listed: Sequence[Meter]


class SiteCatalogueCopy:
    """Copies what a server tells of a site, its meters and its sensors.

    Raises `CannotMirror` for a site whose zone nobody knows.
    """

    def __init__(self, climkit: Climkit, target: Target, site: Site, copied: Copied) -> None:
        self._climkit = climkit
        self._target = target
        self._copied = copied
        self._own = target.catalogue(site.id)
        self._known = {} if self._own is None else self._own.meter_by_id
        self._timezone = _timezone(site, self._own)
        self._site = replace(site, timezone=self._timezone, creation_date=_past(site.creation_date))
        self._new_meters = NewMeters(climkit, self._site, copied)

    def declare(self) -> DeclaredSite:
        """Declare the site with what can be declared of it, and say what cannot.

        Raises `CannotMirror`, what the client raises, and the errors of a store.
        """
        # A server may list one twice.
        meters = [*{each.id: each for each in self._climkit.meters(self._site)}.values()]
        sensors = self._sensors()
        declared = self._meters(meters)
        sensor_lines = [declared_sensor(line, each) for line, each in enumerate(sensors, 1)]
        declaration = declared_site(self._site, self._timezone, declared, sensor_lines)
        self._copied.declared += self._target.declare(declaration).lines
        own = self._target.catalogue(self._site.id)
        assert own is not None, "the site was just declared"
        ids = {each.id for each in declared}
        fed = [self._fed(each, own.meter_by_id[each.id]) for each in meters if each.id in ids]
        self._say_gone(own, {each.id for each in meters} | {each.id for each in sensors})
        self._copied.meters, self._copied.sensors = len(fed), len(sensors)
        return DeclaredSite(self._site, own.site.number, self._timezone, fed, sensors, meters)

    def first_data_at(self, meters: Sequence[FedMeter]) -> int | None:
        """Return the first month of which the server has validated quantities [Unix seconds]."""
        starts = [
            months.starts_at[0]
            for each in meters
            if len(months := self._new_meters.validated(each.meter))
        ]
        return min(starts, default=None)

    def _say_gone(self, own: SiteCatalogue, listed: Collection[str]) -> None:
        """Say what was copied before and is listed no more."""
        names = {each.id: each.name for each in own.meters}
        names |= {each.id: each.name for each in own.sensors}
        for id_ in self._target.copied_until(own.site.number):
            if id_ not in listed:
                self._copied.say(names[id_], "the server lists it no more; what was copied stays")
                if id_ in own.meter_by_id and own.meter_by_id[id_].removed_at is None:
                    self._copied.say(names[id_], "if it was taken out, declare its removed_at")

    def _sensors(self) -> list[Sensor]:
        try:
            return [*{each.id: each for each in self._climkit.sensors(self._site)}.values()]
        except NotFound:
            self._copied.say("sensors", "the server lists none for this account")
            return []

    def _meters(self, meters: Sequence[Meter]) -> list[MeterDeclaration]:
        """Return the meters that can be declared; say why the others cannot."""
        declared: list[MeterDeclaration] = []
        new: list[MeterDeclaration] = []
        roles: dict[str, Role] = {}
        for line, meter in enumerate(meters, 1):
            own = self._known.get(meter.id)
            try:
                role = role_of(meter, own)
            except NoRole as reason:
                self._copied.say(label(meter), f"left out: {reason}")
                continue
            said = declared_meter(line, meter, role, own)
            if own is not None:
                declared.append(said)
            elif (met := self._new_meters.met(meter, said)) is not None:
                new.append(met)
            else:
                continue
            roles[meter.id] = role
        declared += self._new_meters.with_members(new)
        numbers, reasons = prim_ads(roles, meters, self._own)
        for meter in meters:
            if meter.id in reasons and meter.id not in self._known:
                self._copied.say(label(meter), f"{reasons[meter.id]}; a free one is taken")
        return [replace(each, prim_ad=numbers.get(str(each.id), NOT_SAID)) for each in declared]

    def _fed(self, meter: Meter, own: OwnMeter) -> FedMeter:
        look = self._new_meters.looks.get(meter.id)
        if look is None and own.interval_s is not None:
            try:
                look = look_at(self._climkit, self._site, meter, own.medium)
            except (NotFound, BadRequest, SurprisingAnswer):
                # Whether the meter can be read at all shows when its totals are asked for.
                look = Look(has_readings=False)
        feed, note = feed_of(meter, own, look)
        if note is not None:
            self._copied.say(own.name, note)
        return FedMeter(meter, own, feed)


def _past(day: date | None) -> date | None:
    """Return a site's creation; one that is still to come tells nothing of its data."""
    return None if day is None or day > datetime.now(UTC).date() else day


def _timezone(site: Site, own: SiteCatalogue | None) -> str:
    timezone = site.timezone or (None if own is None else own.site.timezone)
    if timezone is None:
        raise CannotMirror(
            f"the server does not say the time zone of site {site.id}; declare the site with its "
            "id and its zone first, by `commonwatt apply`"
        )
    return timezone
