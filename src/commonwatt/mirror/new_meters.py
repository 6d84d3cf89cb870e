"""Meters that are not declared here yet: what the server has of them shows how to declare them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from commonwatt.app.declaring.declaration import NOT_SAID, MeterDeclaration
from commonwatt.client import (
    BadRequest,
    Climkit,
    Meter,
    NotFound,
    Series,
    Site,
    SurprisingAnswer,
    Unreachable,
)
from commonwatt.domain.metering.catalogue import Group, Mode
from commonwatt.domain.metering.quarter_hours import QUARTER_S
from commonwatt.mirror.copied import Copied
from commonwatt.mirror.declared_site import label
from commonwatt.mirror.meter_feeds import Look, look_at

REFUSED = "this account may not read it"
FIRST_DAY_OF_ALL = date(2000, 1, 1)
"""Validation uses nothing that was measured before it."""
_LATELY = timedelta(days=31)


class NewMeters:
    """Looks at meters that are met first; what cannot be declared is said.

    ``looks`` are what was seen of them, by id.
    """

    def __init__(self, climkit: Climkit, site: Site, copied: Copied) -> None:
        self._climkit = climkit
        self._site = site
        self._copied = copied
        self._validated: dict[str, Series] = {}
        self._sums_months = True
        self.looks: dict[str, Look] = {}

    def met(self, meter: Meter, said: MeterDeclaration) -> MeterDeclaration | None:
        """Return a meter's declaration with its kind; None where there is nothing to copy yet."""
        try:
            look = look_at(self._climkit, self._site, meter, said.medium)
            validated = self.validated(meter)
            look = self.looks[meter.id] = look.checked(validated)
        except NotFound:
            self._copied.say(label(meter), f"left out: {REFUSED}")
            return None
        except (BadRequest, SurprisingAnswer) as error:
            self._copied.failed = True
            self._copied.say(label(meter), f"left out: {error}")
            return None
        if look.has_readings:
            return replace(said, interval_s=look.interval_s or NOT_SAID)
        if len(validated):
            return replace(said, interval_s=QUARTER_S)
        self._copied.say(label(meter), "left out until the server has data of it")
        return None

    def with_members(self, declared: Sequence[MeterDeclaration]) -> list[MeterDeclaration]:
        """Leave new consumers out of the balance that have no part in it on the server.

        There a consumer's quantities are told from where they came; those of one that is measured
        for a rule alone are not. Where no consumer's are, that shows nothing.
        """
        is_shared = {
            str(each.id): "self" in self._validated[str(each.id)].columns
            for each in declared
            if _is_consumer(each) and len(self._validated.get(str(each.id), ()))
        }
        outside = {
            id_ for id_, shared in is_shared.items() if not shared and any(is_shared.values())
        }
        for each in declared:
            if each.id in outside:
                self._copied.say(
                    each.name, "no member of the balance there, so none here (balance: false)"
                )
        return [replace(each, balance=False) if each.id in outside else each for each in declared]

    def validated(self, meter: Meter) -> Series:
        """Return the months of which a server has validated quantities of a meter.

        One that cannot sum months is asked for the quarter-hours of the last days instead.
        """
        if meter.id not in self._validated:
            months = self._months(meter) if self._sums_months else None
            if months is None:
                self._sums_months = False
                lately = datetime.now(UTC) - _LATELY
                months = self._climkit.meter_data(self._site, meter, lately)
            self._validated[meter.id] = months
        return self._validated[meter.id]

    def _months(self, meter: Meter) -> Series | None:
        # A month belongs to the window in which it begins.
        first = max(self._site.creation_date or FIRST_DAY_OF_ALL, FIRST_DAY_OF_ALL).replace(day=1)
        try:
            return self._climkit.meter_data(self._site, meter, first, sampling="M")
        except (BadRequest, SurprisingAnswer, Unreachable):
            return None


def _is_consumer(declared: MeterDeclaration) -> bool:
    return declared.mode is Mode.CONSUMPTION and declared.medium.group is Group.ELECTRICITY
