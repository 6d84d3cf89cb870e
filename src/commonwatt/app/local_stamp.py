"""Instants as people of a site read them."""

from datetime import datetime
from zoneinfo import ZoneInfo


def local_stamp(instant_at: int, timezone: str) -> str:
    """Show an instant [Unix seconds] on a zone's clock, with its offset.

    >>> local_stamp(1_767_222_000, "Europe/Zurich")
    '2026-01-01 00:00:00+01:00'
    """
    return datetime.fromtimestamp(instant_at, ZoneInfo(timezone)).isoformat(" ")
