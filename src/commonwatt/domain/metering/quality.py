"""The quality of a quarter-hour, and how its energy was found.

Codes are part of the stored format: a code never changes its meaning. A larger quality is better,
so the worst of several is their minimum; ABSENT is left out of it, for a meter that is not alive
hides nothing.

Columns are compared with a code's ``value``: numpy takes ten times as long to see that a member is
a number.
"""

from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Quality(IntEnum):
    """Quality of a quarter-hour; there is a value from ESTIMATED upward.

    ABSENT: the meter is not alive (before its installation, after its removal, disabled).
    MISSING: alive, and nothing is known.
    ESTIMATED: readings too far apart, or a reading that was sent as estimated.
    INTERPOLATED: readings up to 2 hours apart (heat, cooling, water: 26 hours).
    EDITED: set by a person.
    MEASURED: readings around each boundary at most 30 minutes apart.
    """

    ABSENT = 0
    MISSING = 1
    ESTIMATED = 2
    INTERPOLATED = 3
    EDITED = 4
    MEASURED = 5


_LEAST = np.uint8(Quality.ESTIMATED)


class Method(IntEnum):
    """How the energy of a quarter-hour was found.

    INDEX: between readings near enough. INTERVAL: sent as energy. RULE: computed from other meters.
    LINEAR, SHAPE: a part of a longer gap's energy, spread evenly or by the shape of comparable
    days. PROXY: no reading after it yet, taken from comparable days. EDIT: set by a person. SEAM:
    the index started anew within it, as in an exchange of the device.
    """

    NONE = 0
    INDEX = 1
    INTERVAL = 2
    RULE = 3
    LINEAR = 4
    SHAPE = 5
    PROXY = 6
    EDIT = 7
    SEAM = 8


def exists(quality: "NDArray[np.uint8]") -> "NDArray[np.bool_]":
    """Tell for each quarter-hour whether it has a value."""
    return quality >= _LEAST


def worst(qualities: "list[NDArray[np.uint8]]", length: int) -> "NDArray[np.uint8]":
    """Return per quarter-hour the worst quality among the alive; ABSENT where none is alive.

    >>> alive = np.array([Quality.MEASURED, Quality.MISSING], np.uint8)
    >>> gone = np.array([Quality.ABSENT, Quality.ABSENT], np.uint8)
    >>> worst([alive, gone], 2).tolist() == [Quality.MEASURED, Quality.MISSING]
    True
    """
    # Absent minus one wraps to 255, so it never is the minimum.
    lowest = np.full(length, 255, np.uint8)
    one = np.uint8(1)
    for quality in qualities:
        np.minimum(lowest, quality - one, out=lowest)
    return lowest + one
