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
    """Write whole minutes as a duration of ISO 8601, in the longest unit that says it.

    >>> duration_text(31 * 86_400), duration_text(6 * 3_600), duration_text(900)
    ('P31D', 'PT6H', 'PT15M')
    """
    if seconds % 3_600:
        return f"PT{seconds // 60}M"
    return f"PT{seconds // 3_600}H" if seconds % 86_400 else f"P{seconds // 86_400}D"
