"""Which meters of a site a person means."""

import re

from commonwatt.domain.catalogue import Meter, SiteCatalogue

_ID = re.compile("[0-9a-f]{24}")
_ADDRESS = re.compile(r"(?:prim_ad:|(?P<type>[a-z_]+)[ :])(?P<prim_ad>\d{1,9})", re.ASCII)


def meters_meant(catalogue: SiteCatalogue, wanted: str) -> list[Meter]:
    """Return the meters of an id, an address (``prim_ad:11``, ``electricity:11``) or a name.

    A type and its prim_ad may also have a blank between. A name that is written like an address
    means both.
    """
    if _ID.fullmatch(wanted):
        meter = catalogue.meter_by_id.get(wanted)
        return [] if meter is None else [meter]
    address = _ADDRESS.fullmatch(wanted)
    return [
        meter
        for meter in catalogue.meters
        if meter.name == wanted
        or (
            address is not None
            and meter.prim_ad == int(address["prim_ad"])
            and address["type"] in (None, meter.medium.value)
        )
    ]
