"""Stamps as text to Unix time, whole columns at once.

The usual forms, ``YYYY-MM-DDTHH:MM:SS`` with ``T`` or a blank, a fraction, and ``Z`` or an offset,
are read as a matrix of bytes; every other value goes one by one through an exact parser that knows
more forms and says what is wrong. Both agree on everything that both can read.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from commonwatt.formats.errors import BadValue, Faults, shown

_FORMS = "write it as 2026-01-31T12:15:00Z"
_PATTERN = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,30}))?)?"
    r" ?(?:([Zz])|([+-])(\d\d)(?::?(\d\d))?)?)?",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
# A year short of what the calendar can name: an instant can be shown on any zone's clock.
_FIRST_AT = (datetime(2, 1, 1, tzinfo=UTC) - _EPOCH) // _SECOND
_END_AT = (datetime(9999, 1, 1, tzinfo=UTC) - _EPOCH) // _SECOND
_YEARS = "outside the years 2 to 9998"
_LONGEST = 40
_MONTH_DAYS = np.array([0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_MICRO_WEIGHTS = np.array([100_000, 10_000, 1_000, 100, 10, 1])


@dataclass(frozen=True, slots=True)
class Instants:
    """A column of instants; positions with a fault hold 0.

    seconds: Unix seconds, fractions cut; of a naive stamp its wall time read as UTC. micros: the
    fraction [microseconds, cut]. naive: neither ``Z`` nor an offset was written. faults: what is
    wrong, by position.
    """

    seconds: NDArray[np.int64]
    micros: NDArray[np.int64]
    naive: NDArray[np.bool_]
    faults: Faults


def parse_instant(value: object) -> tuple[int, int, bool]:
    """Return (seconds, micros, naive) of one stamp; `Instants` says what they are.

    Accepts a date (its midnight), a date with hours and minutes, seconds and a fraction, ``Z`` or
    an offset, and ``{"$date": milliseconds}``, of the years 2 to 9998 in UTC. Raises `BadValue`.

    >>> parse_instant("2026-01-05 10:15:03.5+01:00")
    (1767604503, 500000, False)
    >>> parse_instant("2026-01-05")
    (1767571200, 0, True)
    """
    if isinstance(value, dict) and value.keys() == {"$date"}:
        return _from_extended_json(value["$date"])
    if not isinstance(value, str):
        raise BadValue(f"{shown(value)} is not a stamp; {_FORMS}")
    match = _PATTERN.fullmatch(value.strip())
    if match is None:
        raise BadValue(f"{shown(value)} is not a stamp; {_FORMS}")
    *fields, fraction, zulu, sign, offset_hours, offset_minutes = match.groups()
    try:
        year, month, day, hour, minute, second = (int(field or 0) for field in fields)
        wall = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise BadValue(f"{shown(value)} does not exist ({error}); {_FORMS}") from error
    hours, minutes = int(offset_hours or 0), int(offset_minutes or 0)
    if hours > 23 or minutes > 59:
        raise BadValue(f"the offset of {shown(value)} does not exist; {_FORMS}")
    offset_s = (hours * 3600 + minutes * 60) * (-1 if sign == "-" else 1)
    micros = int((fraction or "").ljust(6, "0")[:6])
    seconds = (wall - _EPOCH) // _SECOND - offset_s
    if not _FIRST_AT <= seconds < _END_AT:
        raise BadValue(f"{shown(value)} is {_YEARS}")
    return seconds, micros, zulu is None and sign is None


def _from_extended_json(value: object) -> tuple[int, int, bool]:
    if isinstance(value, str):
        seconds, micros, _ = parse_instant(value)
        return seconds, micros, False
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadValue(f'{shown(value)} under "$date" must be whole milliseconds since 1970')
    seconds, millis = divmod(value, 1000)
    if not _FIRST_AT <= seconds < _END_AT:
        raise BadValue(f'{shown(value)} under "$date" is {_YEARS}')
    return seconds, millis * 1000, False


def utc_text(instant_at: int) -> str:
    """Write an instant [Unix seconds] of the years 2 to 9998.

    >>> utc_text(1_767_604_503)
    '2026-01-05T09:15:03Z'
    """
    return datetime.fromtimestamp(instant_at, UTC).isoformat().replace("+00:00", "Z")


def parse_instants(values: Sequence[object]) -> Instants:
    """Read a column of stamps; see `parse_instant` for the forms.

    >>> parse_instants(["1970-01-01 00:00:01", "1970-01-01T01:00:02+01:00"]).seconds.tolist()
    [1, 2]
    """
    count = len(values)
    instants = Instants(
        np.zeros(count, np.int64), np.zeros(count, np.int64), np.zeros(count, np.bool_), Faults()
    )
    lengths = _lengths(values)
    odd = [np.flatnonzero((lengths < 19) | (lengths > _LONGEST))]
    for length in np.unique(lengths[(lengths >= 19) & (lengths <= _LONGEST)]).tolist():
        positions = np.flatnonzero(lengths == length)
        odd.append(_read_usual_forms(values, positions, length, instants))
    for position in np.concatenate(odd).tolist():
        try:
            seconds, micros, naive = parse_instant(values[position])
        except BadValue as fault:
            instants.faults.note(position, fault)
        else:
            instants.seconds[position] = seconds
            instants.micros[position] = micros
            instants.naive[position] = naive
    return instants


def _lengths(values: Sequence[object]) -> NDArray[np.int64]:
    """Return how long each text is, 0 for what is no text."""
    if set(map(type, values)) == {str}:
        return np.fromiter(map(len, values), np.int64, len(values))  # type: ignore[arg-type]
    lengths = (len(value) if type(value) is str else 0 for value in values)
    return np.fromiter(lengths, np.int64, len(values))


def _read_usual_forms(
    values: Sequence[object], positions: NDArray[np.intp], length: int, instants: Instants
) -> NDArray[np.intp]:
    """Read the texts of one length into ``instants``; return the positions that are not usual."""
    whole = len(positions) == len(values)
    texts = values if whole else [values[position] for position in positions.tolist()]
    joined = "".join(texts).encode("ascii", "replace")  # type: ignore[arg-type]
    bytes_ = np.frombuffer(joined, np.uint8).reshape(len(positions), length)
    seconds, is_date = _read_date_and_time(bytes_[:, :19])
    micros, offset_s, naive, is_tail = _read_tail(bytes_[:, 19:])
    seconds = seconds - offset_s
    usual = is_date & is_tail & (seconds >= _FIRST_AT) & (seconds < _END_AT)
    chosen = positions[usual]
    instants.seconds[chosen] = seconds[usual]
    instants.micros[chosen] = micros[usual]
    instants.naive[chosen] = naive[usual]
    return positions[~usual]


def _read_date_and_time(text: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Read ``YYYY-MM-DD HH:MM:SS``: seconds, and whether each row is that and exists."""
    digits = np.ascontiguousarray(text.T).astype(np.int64) - ord("0")
    places = digits[[0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18]]
    valid = ((places >= 0) & (places <= 9)).all(axis=0)
    valid &= (text[:, 4] == ord("-")) & (text[:, 7] == ord("-"))
    valid &= (text[:, 10] == ord("T")) | (text[:, 10] == ord(" "))
    valid &= (text[:, 13] == ord(":")) & (text[:, 16] == ord(":"))
    tens = places[0::2] * 10 + places[1::2]
    year = tens[0] * 100 + tens[1]
    month, day, hour, minute, second = tens[2:]
    valid &= (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1)
    valid &= (hour <= 23) & (minute <= 59) & (second <= 59)
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    month_days = _MONTH_DAYS[np.where(valid, month, 0)] - ((month == 2) & ~leap)
    valid &= day <= month_days
    days = _days_since_1970(year, month, day)
    return days * 86_400 + hour * 3_600 + minute * 60 + second, valid


def _days_since_1970(
    year: NDArray[np.int64], month: NDArray[np.int64], day: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Count days in years that begin in March, so that the leap day comes last."""
    years = year - (month <= 2)
    months = (month + 9) % 12
    day_of_year = (153 * months + 2) // 5 + day - 1
    return years * 365 + years // 4 - years // 100 + years // 400 + day_of_year - 719_468


def _read_tail(
    tail: NDArray[np.uint8],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Read what follows the seconds: micros, offset in seconds, naive, and whether it is usual."""
    count, width = tail.shape
    offset_s = np.zeros(count, np.int64)
    naive = np.ones(count, np.bool_)
    suffix = np.zeros(count, np.int64)
    if width >= 1:
        zulu = tail[:, -1] == ord("Z")
        suffix[zulu], naive[zulu] = 1, False
    if width >= 6:
        seconds, is_offset = _read_offset(tail[:, -6:])
        suffix[is_offset], naive[is_offset] = 6, False
        offset_s[is_offset] = seconds[is_offset]
    micros = np.zeros(count, np.int64)
    usual = np.zeros(count, np.bool_)
    for suffix_width in (0, 1, 6):
        rows = np.flatnonzero(suffix == suffix_width)
        if len(rows):
            micros[rows], usual[rows] = _read_fraction(tail[rows, : width - suffix_width])
    return micros, offset_s, naive, usual


def _read_offset(text: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Read ``+HH:MM`` or ``-HH:MM``: seconds east of UTC, and whether each row is that."""
    digits = text[:, [1, 2, 4, 5]].astype(np.int64) - ord("0")
    hours, minutes = digits[:, 0] * 10 + digits[:, 1], digits[:, 2] * 10 + digits[:, 3]
    negative = text[:, 0] == ord("-")
    valid = (negative | (text[:, 0] == ord("+"))) & (text[:, 3] == ord(":"))
    valid &= ((digits >= 0) & (digits <= 9)).all(axis=1) & (hours <= 23) & (minutes <= 59)
    return np.where(negative, -1, 1) * (hours * 3_600 + minutes * 60), valid


def _read_fraction(text: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Read nothing, or ``.`` and digits: microseconds, cut, and whether each row is that."""
    count, width = text.shape
    if width == 0:
        return np.zeros(count, np.int64), np.ones(count, np.bool_)
    digits = text[:, 1:].astype(np.int64) - ord("0")
    valid = (text[:, 0] == ord(".")) & ((digits >= 0) & (digits <= 9)).all(axis=1) & (width > 1)
    first = digits[:, :6]
    return first @ _MICRO_WEIGHTS[: first.shape[1]], valid
