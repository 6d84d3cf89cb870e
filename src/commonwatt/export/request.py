"""What is exported: of which site, in which window, as which columns."""

import json
from dataclasses import asdict, dataclass, fields
from typing import Literal
from zoneinfo import ZoneInfo

from commonwatt.client.series.local_periods import Window, parts, period_start
from commonwatt.client.series.words import MeterType, SamplingFrequency, word_of
from commonwatt.client.stamps import When, instant_of
from commonwatt.export.errors import CannotExport

_SAID = {"meter_type": "type", "start_at": "start", "asked_end_at": "end"}

Of = Literal["site", "meters", "readings", "sensors"]


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants of a site; `start`, `end`: as the client takes them.

    `of`: site, a row a period; meters, a row a meter and period; readings and sensors, a row a
    reading. `meter_type`, `sampling`: None where the rows have none. Without an `end` until the
    newest full period.
    """

    of: Of
    meter_type: MeterType | None
    sampling: SamplingFrequency | None
    start: When
    end: When | None

    def window(self, timezone: str, now_at: int) -> tuple[int, int | None, int]:
        """Return the start, the end as asked, and the end as far as there is something to ask.

        Only periods that are over are exported; of readings what lies before the newest full
        quarter-hour. Raises ValueError for what is no window, CannotExport where nothing is over.
        """
        zone = ZoneInfo(timezone)
        start_at = instant_of(self.start, zone)
        if start_at < 0:
            raise ValueError(f"start {self.start} must not be before 1970")
        asked_end_at = None if self.end is None else instant_of(self.end, zone)
        if asked_end_at is not None and start_at >= asked_end_at:
            raise ValueError(f"end {self.end} must be after start {self.start}")
        newest_at = period_start(now_at, zone, self.sampling or SamplingFrequency.QUARTER_HOUR)
        end_at = newest_at if asked_end_at is None else min(asked_end_at, newest_at)
        if start_at >= end_at:
            raise CannotExport(f"nothing from {self.start} on is over yet")
        return start_at, asked_end_at, end_at


def wish_of(
    of: Of, meter_type: str | None, sampling: str | None, start: When, end: When | None
) -> Wish:
    """Return a wish of words; None: electricity, quarter-hours. Raises ValueError.

    >>> wish_of("sensors", None, "D", "2026-07-01", None)
    Traceback (most recent call last):
    ValueError: sensors are exported as they are, without a sampling
    """
    if of in {"readings", "sensors"} and sampling is not None:
        raise ValueError(f"{of} are exported as they are, without a sampling")
    if of == "sensors" and meter_type is not None:
        raise ValueError("sensors are exported all together, without a type")
    return Wish(
        of,
        None if of == "sensors" else word_of(MeterType, meter_type or "electricity", "type"),
        word_of(SamplingFrequency, sampling or "15T", "sampling")
        if of in {"site", "meters"}
        else None,
        start,
        end,
    )


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """All that tells one export from another; parts belong together where it is the same.

    `meter_type`, `sampling`: None where the rows have none. [`start_at`, `end_at`) [Unix seconds]:
    the window; `asked_end_at`: as the user said it, None for "until now". `form`: the ending of the
    file. `columns`: of texts and values, which are the same in all parts.
    """

    server: str
    account: str
    site: str
    timezone: str
    of: str
    meter_type: str | None
    sampling: str | None
    start_at: int
    asked_end_at: int | None
    end_at: int
    form: str
    columns: tuple[str, ...]

    def parts(self) -> list[Window]:
        """Return the window cut at local month ends; days at year ends."""
        sampling = None if self.sampling is None else SamplingFrequency(self.sampling)
        return parts((self.start_at, self.end_at), ZoneInfo(self.timezone), sampling)

    def differing(self, other: "ExportRequest") -> list[str]:
        """Return what differs of another request, in words; the end counts as it was asked."""
        names = [each.name for each in fields(self) if each.name != "end_at"]
        differing = [name for name in names if getattr(self, name) != getattr(other, name)]
        return [_SAID.get(name, name) for name in differing]

    def to_json(self) -> bytes:
        """Return what `request_of` reads."""
        return json.dumps(asdict(self), indent=2).encode()


def request_of(text: bytes) -> ExportRequest:
    """Return the request that a file holds. Raises ValueError."""
    try:
        found = json.loads(text)
        return ExportRequest(**{**found, "columns": tuple(found["columns"])})
    except (TypeError, KeyError) as error:
        raise ValueError(f"not a request of this version: {error}") from None
