"""Series drawn with the block characters of a terminal."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import fsum
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from commonwatt.cli.output import heading

if TYPE_CHECKING:
    from commonwatt.client import Series

_HEIGHTS = "▁▂▃▄▅▆▇█"
_WIDTHS = " ▏▎▍▌▋▊▉"
_MOST_BARS = 40
_QUARTER_S = 900
_DAY_S = 86_400

# Local periods that a bar may stand for: their word, the format of their label, and a step [s]
# short enough to meet each of them.
_PERIODS = (
    ("quarter-hour", "%Y-%m-%d %H:%M%z", _QUARTER_S),
    ("hour", "%Y-%m-%d %Hh%z", _QUARTER_S),
    ("day", "%Y-%m-%d", _DAY_S // 4),
    ("month", "%Y-%m", _DAY_S),
    ("year", "%Y", _DAY_S),
)
_FINEST = {None: 0, "15T": 0, "H": 1, "D": 2, "M": 3, "Y": 4}


def chart(series: "Series", width: int) -> list[str]:
    """Return lines of at most `width` characters: a sparkline a column, and bars of the first.

    A bar is the sum of a span of local time, or its last reading. A span of which periods are
    missing is marked with ~; the sum is then that of the others.
    """
    if not len(series) or not series.columns:
        return []
    names = [heading(name, series.unit) for name in series.columns]
    room = max(map(len, names))
    lines: list[str] = []
    for name, values in zip(names, series.columns.values(), strict=True):
        present = [value for value in values if value is not None]
        span = f"{min(present)} to {max(present)}" if present else "missing"
        drawn = sparkline(
            _in_time(series, values),
            max(8, width - room - len(span) - 4),
            series.sampling is not None,
        )
        lines.append(f"{name.ljust(room)}  {drawn}  {span}")
    bars = _bars(series, width)
    return [*lines, "", *bars] if bars else lines


def _in_time(series: "Series", values: Sequence[float | None]) -> Sequence[float | None]:
    """Return the value of every period that was asked for; readings have no rhythm and stay."""
    from commonwatt.client.series.local_periods import period_starts

    if series.sampling is None:
        return values
    known = dict(zip(series.starts_at, values, strict=True))
    periods = period_starts(series.asked, series.zone, series.sampling)
    return [known.get(start_at) for start_at in periods]


def sparkline(values: Sequence[float | None], width: int, from_zero: bool) -> str:
    """Return one character for so many values as `width` asks for, as high as their mean.

    The lowest character is the smallest value, or 0 if `from_zero`; missing is blank.

    >>> sparkline([0.0, 1.0, None, 7.0], 10, True)
    '▁▂ █'
    """
    each = -(-len(values) // width)
    means = [_mean(values[first : first + each]) for first in range(0, len(values), each)]
    present = [mean for mean in means if mean is not None]
    if not present:
        return " " * len(means)
    low, high = min(present), max(present)
    if from_zero:
        low = min(0.0, low)
    step = (high - low) / len(_HEIGHTS) or 1.0
    top = len(_HEIGHTS) - 1
    return "".join(
        " " if mean is None else _HEIGHTS[min(top, int((mean - low) / step))] for mean in means
    )


def _mean(values: Sequence[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return fsum(present) / len(present) if present else None


def _bars(series: "Series", width: int) -> list[str]:
    name, values = next(iter(series.columns.items()))
    word, label, step = _span(series)
    amounts = _amounts(series, values, label, step)
    if not amounts:
        return []
    incomplete = {
        key
        for gap in series.gaps()
        for key in _labels((gap.start.timestamp(), gap.end.timestamp()), series.zone, label, step)
    }
    incomplete |= {
        _label(start_at, series.zone, label)
        for start_at, value in zip(series.starts_at, values, strict=True)
        if value is None
    }
    what = "last reading" if series.sampling is None else "sum"
    title = f"{heading(name, series.unit)}, {what} of each {word}"
    if incomplete & {key for key, amount in amounts.items() if amount is not None}:
        title += "; ~ some of it is missing"
    return [title, *_bar_lines(amounts, incomplete, width)]


def _bar_lines(amounts: Mapping[str, float | None], incomplete: set[str], width: int) -> list[str]:
    shown = {
        key: "missing" if amount is None else f"{'~' * (key in incomplete)}{amount:.3f}"
        for key, amount in amounts.items()
    }
    present = [amount for amount in amounts.values() if amount is not None]
    low, high = min([0.0, *present]), max([0.0, *present])
    labels, numbers = max(map(len, amounts)), max(map(len, shown.values()))
    room = max(8, width - labels - numbers - 4)
    return [
        f"{key.ljust(labels)}  {shown[key].rjust(numbers)}  "
        f"{'' if amount is None else _bar((amount - low) / (high - low or 1.0) * room)}".rstrip()
        for key, amount in amounts.items()
    ]


def _bar(length: float) -> str:
    eighths = round(length * 8)
    return "█" * (eighths // 8) + _WIDTHS[eighths % 8].strip()


def _span(series: "Series") -> tuple[str, str, int]:
    """Return the shortest span of which there are not too many."""
    for word, label, step in _PERIODS[_FINEST[series.sampling] :]:
        count = len(_labels(series.asked, series.zone, label, step))
        if count <= _MOST_BARS:
            return word, label, step
    return _PERIODS[-1]


def _amounts(
    series: "Series", values: Sequence[float | None], label: str, step: int
) -> dict[str, float | None]:
    """Return the sum of each span, of readings the last; None where there is no value."""
    found: dict[str, list[float]] = {
        key: [] for key in _labels(series.asked, series.zone, label, step)
    }
    for start_at, value in zip(series.starts_at, values, strict=True):
        if value is not None:
            found.setdefault(_label(start_at, series.zone, label), []).append(value)
    if series.sampling is None:
        return {key: amounts[-1] for key, amounts in found.items() if amounts}
    return {key: fsum(amounts) if amounts else None for key, amounts in found.items()}


def _labels(window: tuple[float, float], zone: ZoneInfo, label: str, step: int) -> list[str]:
    """Return the labels of the spans that have a part in [start, end), in order."""
    start_at, end_at = (int(at) for at in window)
    instants = [*range(start_at, end_at, step), *([end_at - 1] if end_at > start_at else [])]
    return list(dict.fromkeys(_label(at, zone, label) for at in instants))


def _label(instant_at: int, zone: ZoneInfo, label: str) -> str:
    return datetime.fromtimestamp(instant_at // _QUARTER_S * _QUARTER_S, zone).strftime(label)
