"""Declaring a site as a Climkit server has it; meters that are met first are looked at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from commonwatt.app.declaration import NOT_SAID, MeterDeclaration
from commonwatt.client import Climkit, Meter, NotFound, Sensor, Series, Site
from commonwatt.domain.catalogue import Group, Mode
from commonwatt.domain.catalogue import Meter as OwnMeter
from commonwatt.domain.quarter_hours import QUARTER_S
from commonwatt.mirror.copied import Copied
from commonwatt.mirror.declared_site import (
    NoRole,
    declared_meter,
    declared_sensor,
    declared_site,
    label,
    prim_ads,
    role_of,
)
from commonwatt.mirror.meter_feeds import Feed, Look, feed_of, look_at
from commonwatt.mirror.target import CannotMirror, Target

REFUSED = "this account may not read it"
_FIRST_DAY_OF_ALL = date(2015, 1, 1)


@dataclass(frozen=True, slots=True)
class FedMeter:
    """A meter there, the same one here, and from what it is fed."""

    meter: Meter
    own: OwnMeter
    feed: Feed


@dataclass(frozen=True, slots=True)
class DeclaredSite:
    """A site that is declared here, with the meters and sensors to be copied."""

    site: Site
    number: int
    timezone: str
    meters: Sequence[FedMeter]
    sensors: Sequence[Sensor]


class SiteCatalogueCopy:
    """Copies what a server tells of a site, its meters and its sensors."""

    def __init__(self, climkit: Climkit, target: Target, site: Site, copied: Copied) -> None:
        self._climkit = climkit
        self._target = target
        self._site = site
        self._copied = copied
        self._own = target.catalogue(site.id)
        self._looks: dict[str, Look] = {}
        self._months: dict[str, Series] = {}

    def declare(self) -> DeclaredSite:
        """Declare the site with what can be declared of it, and say what cannot.

        Raises `CannotMirror`, what the client raises, and the errors of `store_errors`.
        """
        timezone = self._site.timezone or (None if self._own is None else self._own.site.timezone)
        if timezone is None:
            raise CannotMirror(
                f"the server does not say the time zone of site {self._site.id}; declare the site "
                "with its id and its zone first, by `commonwatt apply`"
            )
        site = replace(self._site, timezone=timezone)
        self._site = site
        meters = self._climkit.meters(site)
        sensors = self._sensors()
        declared = self._meters(meters)
        sensor_lines = [declared_sensor(line, each) for line, each in enumerate(sensors, 1)]
        declaration = declared_site(site, timezone, declared, sensor_lines)
        self._copied.declared += self._target.declare(declaration).lines
        own = self._target.catalogue(site.id)
        assert own is not None, "the site was just declared"
        ids = {each.id for each in declared}
        fed = [self._fed(each, own.meter_by_id[each.id]) for each in meters if each.id in ids]
        self._copied.meters, self._copied.sensors = len(fed), len(sensors)
        return DeclaredSite(site, own.site.number, timezone, fed, sensors)

    def first_data_at(self, meters: Sequence[FedMeter]) -> int | None:
        """Return the first month of which the server has validated quantities [Unix seconds]."""
        starts = [
            months.starts_at[0]
            for each in meters
            if len(months := self._validated_months(each.meter))
        ]
        return min(starts, default=None)

    def _sensors(self) -> list[Sensor]:
        try:
            return self._climkit.sensors(self._site)
        except NotFound:
            self._copied.say("sensors", "the server lists none for this account")
            return []

    def _meters(self, meters: Sequence[Meter]) -> list[MeterDeclaration]:
        """Return the meters that can be declared; say why the others cannot."""
        known: Mapping[str, OwnMeter] = {} if self._own is None else self._own.meter_by_id
        declared: list[MeterDeclaration] = []
        roles = {}
        for line, meter in enumerate(meters, 1):
            own = known.get(meter.id)
            try:
                role = roles[meter.id] = role_of(meter, own)
            except NoRole as reason:
                self._copied.say(label(meter), f"left out: {reason}")
                continue
            said = declared_meter(line, meter, role, own)
            met = said if own is not None else self._met(meter, said)
            if met is not None:
                declared.append(met)
        declared = self._with_members(declared, {} if self._own is None else known)
        here = {each.id: roles[str(each.id)] for each in declared}
        numbers, reasons = prim_ads(
            {str(id_): role for id_, role in here.items()}, meters, self._own
        )
        for meter in meters:
            if meter.id in reasons and meter.id not in known:
                self._copied.say(label(meter), f"{reasons[meter.id]}; a free one is taken")
        return [replace(each, prim_ad=numbers.get(str(each.id), NOT_SAID)) for each in declared]

    def _met(self, meter: Meter, said: MeterDeclaration) -> MeterDeclaration | None:
        """Look at a meter that is not known here; None where there is nothing to copy yet."""
        try:
            look = self._looks[meter.id] = look_at(self._climkit, self._site, meter, said.medium)
            months = self._validated_months(meter)
        except NotFound:
            self._copied.say(label(meter), f"left out: {REFUSED}")
            return None
        if look.has_readings:
            return replace(said, interval_s=look.interval_s or NOT_SAID)
        if len(months):
            return replace(said, interval_s=QUARTER_S)
        self._copied.say(label(meter), "left out until the server has data of it")
        return None

    def _with_members(
        self, declared: Sequence[MeterDeclaration], known: Mapping[str, OwnMeter]
    ) -> list[MeterDeclaration]:
        """Leave new consumers out of the balance that have no part in it on the server.

        There a consumer's quantities are told from where they came; those of one that is measured
        for a rule alone are not. Where no consumer's are, that shows nothing.
        """
        new = {
            str(each.id): "self" in self._months[str(each.id)].columns
            for each in declared
            if each.id not in known and _is_consumer(each) and len(self._months[str(each.id)])
        }
        outside = {id_ for id_, is_shared in new.items() if not is_shared and any(new.values())}
        for each in declared:
            if each.id in outside:
                self._copied.say(
                    each.name, "no member of the balance there, so none here (balance: false)"
                )
        return [replace(each, balance=False) if each.id in outside else each for each in declared]

    def _fed(self, meter: Meter, own: OwnMeter) -> FedMeter:
        if own.interval_s is not None and meter.id not in self._looks:
            try:
                look = look_at(self._climkit, self._site, meter, own.medium)
            except NotFound:
                look = Look(has_readings=False)
            self._looks[meter.id] = look
        feed, note = feed_of(meter, own, self._looks.get(meter.id))
        if note is not None:
            self._copied.say(own.name, note)
        return FedMeter(meter, own, feed)

    def _validated_months(self, meter: Meter) -> Series:
        if meter.id not in self._months:
            # A month belongs to the window in which it begins.
            first = (self._site.creation_date or _FIRST_DAY_OF_ALL).replace(day=1)
            self._months[meter.id] = self._climkit.meter_data(
                self._site, meter, first, sampling="M"
            )
        return self._months[meter.id]


def _is_consumer(declared: MeterDeclaration) -> bool:
    return declared.mode is Mode.CONSUMPTION and declared.medium.group is Group.ELECTRICITY
