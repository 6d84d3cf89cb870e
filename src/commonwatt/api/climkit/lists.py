"""The lists of the Climkit surface: sites, meters, sensors."""

from datetime import UTC, datetime, timedelta

import numpy as np
import orjson

from commonwatt.api.endpoint.endpoint import RequestContext, RequestData
from commonwatt.app.accounts.authorize import AccountAccess
from commonwatt.app.accounts.scope import AccessScope
from commonwatt.app.ports import Snapshot
from commonwatt.app.series.first_reading import first_reading_at
from commonwatt.climkit_v1 import answers
from commonwatt.domain.metering.catalogue import SiteCatalogue
from commonwatt.domain.metering.zones import utc_offsets


def no_query(_context: RequestContext, _request_data: RequestData) -> None:
    """For requests that say everything by their path."""


def answer_installation_infos(context: RequestContext, _query: None) -> bytes:
    """Answer /installation_infos."""
    scope = context.site.scope
    return orjson.dumps(_infos(context.snapshot, context.catalogue, context.access, scope))


def answer_meter_info(context: RequestContext, _query: None) -> bytes:
    """Answer /meter_info: every meter of the site, closed ones too, by type and prim_ad."""
    meters = sorted(context.catalogue.meters, key=lambda meter: (meter.medium, meter.prim_ad))
    infos = [
        answers.meter_info(
            meter_id=meter.id,
            meter_type=meter.medium.value,
            name=meter.name,
            mode=meter.current.mode.value,
            prim_ad=meter.prim_ad,
            is_rule_meter=meter.is_rule_meter,
        )
        for meter in meters
    ]
    if context.access.reads_as_in_2022:
        infos = [answers.meter_info_of_2022(info) for info in infos]
    return orjson.dumps(infos)


def answer_sensors_list(context: RequestContext, _query: None) -> bytes:
    """Answer /sensors_list."""
    return orjson.dumps(
        [
            answers.sensor_info(
                sensor_id=sensor.id,
                name=sensor.name,
                sensor_type=sensor.type,
                unit=sensor.unit,
                model=sensor.model,
            )
            for sensor in context.catalogue.sensors
        ]
    )


def all_installations(
    snapshot: Snapshot, sites: list[tuple[SiteCatalogue, AccessScope]], access: AccountAccess
) -> bytes:
    """JSON of /all_installations, the way the account wants it."""
    if access.lists_ids:
        return orjson.dumps([catalogue.site.id for catalogue, _ in sites])
    return orjson.dumps(
        [
            answers.installation(catalogue.site.id, _infos(snapshot, catalogue, access, scope))
            for catalogue, scope in sites
        ]
    )


def _infos(
    snapshot: Snapshot, catalogue: SiteCatalogue, access: AccountAccess, scope: AccessScope
) -> answers.InstallationInfos:
    site = catalogue.site
    address = answers.address(
        site.street_name or "",
        site.street_number or "",
        site.city or "",
        site.postal_code or "",
    )
    if access.reads_as_in_2022:
        address = answers.address_of_2022(address)
    return answers.installation_infos(
        site_ref=site.site_ref or "",
        name=site.name,
        address=address,
        creation_date=site.creation_date or _first_local_day(snapshot, catalogue, scope),
        latitude=site.latitude,
        longitude=site.longitude,
        timezone=site.timezone,
    )


def _first_local_day(
    snapshot: Snapshot, catalogue: SiteCatalogue, scope: AccessScope
) -> str | None:
    first_at = first_reading_at(snapshot, catalogue, scope)
    if first_at is None:
        return None
    offset = int(utc_offsets(catalogue.site.timezone, np.array([first_at]))[0])
    local = datetime.fromtimestamp(first_at, UTC) + timedelta(seconds=offset)
    return local.date().isoformat()
