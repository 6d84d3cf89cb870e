"""What is known of the frozen demo beforehand: its window, its account, its ids."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from commonwatt.app.declaring.declaration import MeterDeclaration, SensorDeclaration
from commonwatt.demo.simulated.building import DECLARATION_FILE
from commonwatt.formats.declaration.yaml import declaration_from_yaml

FROM = datetime.fromisoformat("2024-10-23T00:00:00+02:00")
UNTIL = datetime.fromisoformat("2024-11-06T00:00:00+01:00")
"""The window [FROM, UNTIL): two weeks, with the day of 25 hours and the end of a month.

At its end no reading is late, so that all meters reach it.
"""
USERNAME = "frozen"
PASSWORD = "known-to-everybody"  # noqa: S105  # opens nothing but the frozen demo
# Made beforehand: hashing takes a good part of the time of a start.
KNOWN_HASH = (
    "$argon2id$v=19$m=65536,t=3,p=1$x+wCmS3u6uvPLWSdJnfwlw"
    "$6KMgM45zmDMIPJ8W0lg3ar2qLG4eF/KAclGxqdRSL58"
)


def meter_ids() -> Mapping[str, str]:
    """Return the id of each meter by its name."""
    return _ids(declaration_from_yaml(DECLARATION_FILE.read_bytes()).meters)


def sensor_ids() -> Mapping[str, str]:
    """Return the id of each sensor by its name."""
    return _ids(declaration_from_yaml(DECLARATION_FILE.read_bytes()).sensors)


def _ids(declared: Sequence[MeterDeclaration] | Sequence[SensorDeclaration]) -> Mapping[str, str]:
    return {each.name: each.id for each in declared if isinstance(each.id, str)}
