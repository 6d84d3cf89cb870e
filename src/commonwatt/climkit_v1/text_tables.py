"""Texts of numbers, dates and times of day, ready made, to be looked up by whole arrays.

All are arrays of fixed-width ASCII (`V` types: plain bytes, no terminator). They are built when
first used and hold 2 MB together.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Texts = NDArray[np.void]

BLANK, MINUS, POINT, ZERO = b" -.0"
DAY_S = 86_400

# Quarter-hours of homes and small buildings [Wh]: nearly every value is in one of these.
SMALL_END = 10_000
SIGNED_FIRST, SIGNED_END = -9_999, 100_000
# 1970-01-01 to 2100-12-31.
_DATES_END = 47_847


def digits(numbers: NDArray[np.integer], width: int) -> Bytes:
    """Return the last `width` decimal digits of non-negative numbers, uint8[n, width]."""
    texts = np.empty((numbers.size, width), np.uint8)
    for column in reversed(range(width)):
        numbers, texts[:, column] = np.divmod(numbers, 10)
    texts += ZERO
    return texts


def _as_texts(rows: Bytes) -> Texts:
    texts = np.ascontiguousarray(rows).view(f"V{rows.shape[1]}").ravel()
    texts.flags.writeable = False
    return texts


@cache
def group(width: int) -> Texts:
    """Return the texts of 0..10**width - 1 with all their zeros; `width` up to 4."""
    return _as_texts(digits(np.arange(10**width), width))


@cache
def fraction() -> Texts:
    """Return ".000" to ".999"."""
    rows = np.empty((1000, 4), np.uint8)
    rows[:, 0] = POINT
    rows[:, 1:] = digits(np.arange(1000), 3)
    return _as_texts(rows)


@cache
def fraction_end() -> Texts:
    """Return "000" to "999" with blanks for zeros at the end: the fourth to sixth decimal."""
    rows = digits(np.arange(1000), 3)
    unneeded = np.ones(1000, np.bool_)
    for column in (2, 1, 0):
        unneeded &= rows[:, column] == ZERO
        rows[unneeded, column] = BLANK
    return _as_texts(rows)


@cache
def small_thousandths() -> Texts:
    """Return "0.000" to "9.999", by thousandths from 0 to SMALL_END - 1."""
    numbers = np.arange(SMALL_END)
    return _as_texts(np.insert(digits(numbers, 4), 1, POINT, axis=1))


@cache
def signed_thousandths() -> Texts:
    """Return " 0.000" to "99.999", then "-9.999" to "-0.001": negative positions find negatives."""
    numbers = np.concatenate([np.arange(SIGNED_END), np.arange(SIGNED_FIRST, 0)])
    rows = np.insert(digits(np.abs(numbers), 5), 2, POINT, axis=1)
    rows[rows[:, 0] == ZERO, 0] = BLANK
    rows[numbers < 0, 0] = MINUS
    return _as_texts(rows)


@cache
def _times_of_day() -> Texts:
    seconds = np.arange(DAY_S)
    rows = np.full((DAY_S, 8), ord(":"), np.uint8)
    rows[:, 0:2] = digits(seconds // 3600, 2)
    rows[:, 3:5] = digits(seconds // 60 % 60, 2)
    rows[:, 6:8] = digits(seconds % 60, 2)
    return _as_texts(rows)


def times_of_day(seconds: NDArray[np.int64]) -> Texts:
    """Return "05:30:00" for seconds since 00:00, 0 to 86399."""
    return _times_of_day().take(seconds)


def _date_rows(days: NDArray[np.int64]) -> Texts:
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    rows = np.full((days.size, 12), ord("-"), np.uint8)
    rows[:, 0] = ord('"')
    rows[:, 1:5] = digits(months.astype("datetime64[Y]").astype(np.int64) + 1970, 4)
    rows[:, 6:8] = digits(months.astype(np.int64) % 12 + 1, 2)
    rows[:, 9:11] = digits((dates - months).astype(np.int64) + 1, 2)
    rows[:, 11] = BLANK
    return _as_texts(rows)


@cache
def _common_dates() -> Texts:
    return _date_rows(np.arange(_DATES_END))


def quoted_dates(days: NDArray[np.int64]) -> Texts:
    """Return '"2026-03-22 ', a quote before and a blank after, for days since 1970-01-01."""
    if int(days.min()) >= 0 and int(days.max()) < _DATES_END:
        return _common_dates().take(days)
    distinct, positions = np.unique(days, return_inverse=True)
    return _date_rows(distinct).take(positions)


def offset_text(utc_offset_s: int) -> str:
    """Return "+01:00"; with seconds where an offset of long ago has them.

    >>> offset_text(3600), offset_text(-12600), offset_text(-2670)
    ('+01:00', '-03:30', '-00:44:30')
    """
    minutes, seconds = divmod(abs(utc_offset_s), 60)
    text = f"{'-' if utc_offset_s < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"
    return f"{text}:{seconds:02}" if seconds else text
