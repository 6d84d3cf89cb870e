"""A client of the Climkit Developer API v1, for the vendor's service and for servers of your own.

    from commonwatt.client import Climkit

    with Climkit() as climkit:  # CLIMKIT_USERNAME and CLIMKIT_PASSWORD say who
        for site in climkit.sites():
            march = climkit.site_data(site, "electricity", "2026-03-01", "2026-04-01")
            print(site.name, march.unit, sum(filter(None, march["conso_total"])))

`AsyncClimkit` is the same for tasks. What can go wrong is drawn in `commonwatt.client.errors`.
"""

from commonwatt.client.async_client import AsyncClimkit
from commonwatt.client.errors import (
    BadRequest,
    ClimkitError,
    NoCredentials,
    NotFound,
    Received,
    SignInRefused,
    SurprisingAnswer,
    TooManyRequests,
    Unreachable,
)
from commonwatt.client.models import Address, Meter, Sensor, Site
from commonwatt.client.series.series import Gap, Row, Series
from commonwatt.client.sync_client import Climkit

__all__ = [
    "Address",
    "AsyncClimkit",
    "BadRequest",
    "Climkit",
    "ClimkitError",
    "Gap",
    "Meter",
    "NoCredentials",
    "NotFound",
    "Received",
    "Row",
    "Sensor",
    "Series",
    "SignInRefused",
    "Site",
    "SurprisingAnswer",
    "TooManyRequests",
    "Unreachable",
]
