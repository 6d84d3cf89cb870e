"""``commonwatt sites``, ``meters`` and ``sensors``: what a Climkit server has."""

from typing import TYPE_CHECKING

from commonwatt.cli.client.connection import Quiet, Url, Username, Verbose, opened_client
from commonwatt.cli.client.naming import SiteName, named_site
from commonwatt.cli.records import AsCsv, AsJson, require_one_of, show_records

if TYPE_CHECKING:
    from commonwatt.cli.records import Record
    from commonwatt.client import Meter, Sensor, Site

_SITE_KEYS = ("id", "site_ref", "name", "city", "timezone", "creation_date")
_METER_KEYS = ("id", "type", "mode", "prim_ad", "name", "unit", "is_rule_meter")
_SENSOR_KEYS = ("id", "type", "name", "unit", "model")


def sites(
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    url: Url = None,
    username: Username = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """List the sites that a Climkit server shows to the account.

    Example: commonwatt sites --url http://127.0.0.1:8000 --username anna
    """
    require_one_of(json=as_json, csv=as_csv)
    with opened_client(url, username, quiet=quiet, verbose=verbose) as climkit:
        records = [_site(each) for each in climkit.sites()]
    show_records(_SITE_KEYS, records, as_json=as_json, as_csv=as_csv)


def meters(
    site: SiteName,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    url: Url = None,
    username: Username = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """List the meters of a site.

    Example: commonwatt meters CH-0012 --csv
    """
    require_one_of(json=as_json, csv=as_csv)
    with opened_client(url, username, quiet=quiet, verbose=verbose) as climkit:
        records = [_meter(each) for each in climkit.meters(named_site(climkit, site))]
    show_records(_METER_KEYS, records, as_json=as_json, as_csv=as_csv)


def sensors(
    site: SiteName,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    url: Url = None,
    username: Username = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """List the sensors of a site.

    Example: commonwatt sensors CH-0012 --json
    """
    require_one_of(json=as_json, csv=as_csv)
    with opened_client(url, username, quiet=quiet, verbose=verbose) as climkit:
        records = [_sensor(each) for each in climkit.sensors(named_site(climkit, site))]
    show_records(_SENSOR_KEYS, records, as_json=as_json, as_csv=as_csv)


def _site(site: "Site") -> "Record":
    created = site.creation_date
    values = (site.id, site.site_ref, site.name, site.address.city, site.timezone)
    return dict(
        zip(_SITE_KEYS, (*values, None if created is None else created.isoformat()), strict=True)
    )


def _meter(meter: "Meter") -> "Record":
    return {key: getattr(meter, key) for key in _METER_KEYS}


def _sensor(sensor: "Sensor") -> "Record":
    return {key: getattr(sensor, key) for key in _SENSOR_KEYS}
