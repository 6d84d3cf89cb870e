"""Numbers to whole millionths (mWh, ml), exactly: 0.1 kWh is 100,000 mWh and nothing beside it.

A decimal of up to 15 significant digits survives the way through a double; those are scaled in
columns, with the whole part and the fraction apart. Where the sixth decimal hangs on the last bits
of the double, and for longer texts, the decimal itself is rounded, half up.
"""

import math
import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.readings import NO_VALUE, VALUE_MAX
from commonwatt.formats.errors import BadValue, Faults, shown

_MILLION = 1_000_000
_LARGEST = VALUE_MAX // _MILLION
_MILLIONTH = Decimal("0.000001")
_DOUBLE_DIGITS = 15
_LONGEST = 100
_PLAIN = frozenset("0123456789.")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,6})?", re.ASCII)
_DECIMAL = re.compile(r"-?\d{1,18}(\.\d{1,18})?", re.ASCII)
_RANGE = "an index is a number from 0 to 9000000000"


def quantities_from_numbers(values: Sequence[object]) -> tuple[NDArray[np.int64], dict[int, str]]:
    """Return (millionths, faults by position) of JSON values; None becomes NO_VALUE.

    >>> column, faults = quantities_from_numbers([0.07, 12, None, True, -1.0])
    >>> column[:3].tolist(), sorted(faults)
    ([70000, 12000000, -1], [3, 4])
    """
    faults = Faults()
    kinds = set(map(type, values))
    if not kinds <= {int, float, type(None)} or (int in kinds and not _fits(values)):
        values = [_number_or_none(value, at, faults) for at, value in enumerate(values)]
        kinds.add(type(None))
    # None becomes NaN here, as a NaN that was sent does; they are told apart below.
    numbers = np.array(values, np.float64)
    column = _scaled(numbers, faults)
    for position in np.flatnonzero(~np.isfinite(numbers)).tolist():
        if type(None) in kinds and values[position] is None:
            column[position] = NO_VALUE
        else:
            faults.note(position, f"{shown(values[position])} is not a number; {_RANGE}")
    return column, faults


def parse_decimal(text: str, least: str, most: str, places: int = 6) -> Decimal:
    """Return the exact decimal of a text, with up to ``places``. Raises `BadValue`.

    >>> parse_decimal("81234.5", "0", "100000")
    Decimal('81234.5')
    """
    if _DECIMAL.fullmatch(text) and len(text.partition(".")[2]) <= places:
        number = Decimal(text)
        if Decimal(least) <= number <= Decimal(most):
            return number
    raise BadValue(
        f"{shown(text)} is no number from {least} to {most} with up to {places} decimals"
    )


def quantities_from_texts(texts: Sequence[str]) -> tuple[NDArray[np.int64], dict[int, str]]:
    """Return (millionths, faults by position) of decimal texts; an empty text becomes NO_VALUE.

    >>> quantities_from_texts(["0.07", "", "1e3", "8999999999.999999"])[0].tolist()
    [70000, -1, 1000000000, 8999999999999999]
    """
    column = np.full(len(texts), NO_VALUE, np.int64)
    faults = Faults()
    if set("".join(texts)) <= _PLAIN and max(map(len, texts), default=0) <= _DOUBLE_DIGITS + 1:
        present = np.fromiter(map(bool, texts), np.bool_, len(texts))
        try:
            numbers = np.array([float(text) for text in texts if text], np.float64)
        except ValueError:  # a text such as "1.2.3"; the slow way names it
            pass
        else:
            found = Faults()
            column[present] = _scaled(numbers, found)
            positions = np.flatnonzero(present)
            return column, {int(positions[at]): reason for at, reason in found.items()}
    for position, text in enumerate(texts):
        if text and not text.isspace():
            try:
                column[position] = _millionths(decimal_from_text(text))
            except BadValue as fault:
                faults.note(position, fault)
    return column, faults


def decimal_from_text(text: str) -> Decimal:
    """Return the decimal that a text writes, exactly. Raises `BadValue`.

    >>> decimal_from_text("1.50")
    Decimal('1.50')
    """
    stripped = text.strip()
    if len(stripped) > _LONGEST or _NUMBER.fullmatch(stripped) is None:
        raise BadValue(f"{shown(text)} is not a number; {_RANGE}")
    return Decimal(stripped)


def _millionths(number: Decimal) -> int:
    if not 0 <= number <= _LARGEST:
        raise BadValue(_out_of_range(str(number)))
    return int(number.quantize(_MILLIONTH, ROUND_HALF_UP).scaleb(6))


def _out_of_range(text: str) -> str:
    what = "negative" if text.startswith("-") else "too large"
    return f"{text if len(text) <= 40 else text[:39] + '…'} is {what}; {_RANGE}"


def _fits(values: Sequence[object]) -> bool:
    """Whether every whole number can become a double at all."""
    return all(type(value) is not int or -(2**63) <= value < 2**64 for value in values)


def _number_or_none(value: object, position: int, faults: Faults) -> float | None:
    """Return what `numpy` may have; note a fault for the rest."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        faults.note(position, f"{shown(value)} is not a number; {_RANGE}")
        return None
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        faults.note(
            position, _out_of_range(f"{'-' if value < 0 else ''}a number of over 19 digits")
        )
        return None
    return value


def _scaled(numbers: NDArray[np.float64], faults: Faults) -> NDArray[np.int64]:
    """Round to millionths, half up; NaN and what is out of range become NO_VALUE."""
    usable = (numbers >= 0) & (numbers <= _LARGEST)
    for position in np.flatnonzero(np.isfinite(numbers) & ~usable).tolist():
        faults.note(position, _out_of_range(repr(float(numbers[position]))))
    safe = np.where(usable, numbers, 0.0)
    whole = np.floor(safe)
    fraction = (safe - whole) * _MILLION
    millionths = np.floor(fraction + 0.5)
    column = whole.astype(np.int64) * _MILLION + millionths.astype(np.int64)
    # How far the scaled fraction may be from the decimal that was written: half a unit in the last
    # place of the double, and the multiplication's own error.
    doubt = np.spacing(safe) * _MILLION + 1e-9
    unsure = np.abs(fraction - np.floor(fraction) - 0.5) <= doubt
    for position in np.flatnonzero(unsure & usable).tolist():
        column[position] = _millionths(Decimal(repr(float(safe[position]))))
    column[~usable] = NO_VALUE
    return column


def is_number(value: object) -> bool:
    """Whether a JSON value is a number that a double can hold (a bool is no number)."""
    if isinstance(value, int):
        return not isinstance(value, bool) and value.bit_length() < 1024
    return isinstance(value, float) and math.isfinite(value)
