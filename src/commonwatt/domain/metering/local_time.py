"""Instants and durations as people read and write them."""

from datetime import datetime
from zoneinfo import ZoneInfo


def local_stamp(instant_at: int, timezone: str) -> str:
    """Show an instant [Unix seconds] on a zone's clock, with its offset.

    >>> local_stamp(1_767_222_000, "Europe/Zurich")
    '2026-01-01 00:00:00+01:00'
    """
    return datetime.fromtimestamp(instant_at, ZoneInfo(timezone)).isoformat(" ")


def duration_text(seconds: int) -> str:
    """Write whole hours as a duration of ISO 8601.

    >>> duration_text(31 * 86_400), duration_text(6 * 3_600)
    ('P31D', 'PT6H')
    """
    days, rest = divmod(seconds, 86_400)
    return f"PT{seconds // 3_600}H" if rest else f"P{days}D"
