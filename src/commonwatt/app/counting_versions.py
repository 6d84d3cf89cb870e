"""Which versions of a register count where several are said, and why others do not."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.catalogue import Register
from commonwatt.domain.readings import ReadingQuality, StoredReadings, best_versions


class WhyNot(IntEnum):
    """Why a row that is stored does not count."""

    IT_COUNTS = 0
    PLACEHOLDER = 1
    EDITED = 2
    SAID_BEFORE = 3
    REPLACED = 4
    BETTER = 5
    LATER = 6


WHY_NOT: Mapping[WhyNot, str] = {
    WhyNot.PLACEHOLDER: "a placeholder is stored and never used",
    WhyNot.EDITED: "somebody edited this reading; the edit counts until it is undone",
    WhyNot.SAID_BEFORE: "it was said before and another version counts since; send it with "
    "replaces: true, or with a later issued_at, if it is to count again",
    WhyNot.REPLACED: "a version that replaces earlier ones counts, and comes after it",
    WhyNot.BETTER: "a version of better quality counts; send it with replaces: true if it is to "
    "count instead",
    WhyNot.LATER: "a version that was issued later counts",
}
"""The reasons in words, for receipts."""


@dataclass(frozen=True, slots=True)
class CountingVersions:
    """The versions of a register at some keys, each a (meter, instant), and which of them count.

    The first ``stored`` of what is ``said`` were stored before. ``winning`` are the positions of
    those that count, ascending by key; ``met`` those among them that count instead of a stored one.
    """

    register: Register
    keys: NDArray[np.int64]
    said: StoredReadings
    stored: int
    winning: NDArray[np.intp]
    met: NDArray[np.intp]

    @classmethod
    def of(
        cls,
        register: Register,
        stored_keys: NDArray[np.int64],
        stored: StoredReadings | None,
        added_keys: NDArray[np.int64],
        added: StoredReadings,
    ) -> "CountingVersions":
        """Find those that count; all that is given carries the register."""
        said = added if stored is None else StoredReadings.joined([stored, added])
        keys = np.concatenate((stored_keys, added_keys))
        usable = np.flatnonzero(said.qualities != ReadingQuality.PLACEHOLDER)
        replaces = said.replaces
        winning = usable[
            best_versions(
                keys[usable],
                said.qualities[usable],
                said.issued_at[usable],
                said.deliveries[usable],
                None if replaces is None else replaces[usable],
                said.ahead[usable],
            )
        ]
        count = len(stored_keys)
        known = keys[usable[usable < count]]
        met = winning[(winning >= count) & np.isin(keys[winning], known)]
        return cls(register, keys, said, count, winning, met)

    def superseding(self) -> NDArray[np.intp]:
        """The positions among what was added of what counts instead of a stored version."""
        return self.met - self.stored

    def why_not(
        self, keys: NDArray[np.int64], rows: StoredReadings, added: NDArray[np.bool_]
    ) -> NDArray[np.uint8]:
        """Return a code of `WhyNot` for each row; a row counts if its value does.

        ``added`` tells of each whether it is stored now; the others were said before.
        """
        reasons = np.full(len(keys), WhyNot.IT_COUNTS, np.uint8)
        if len(self.winning):
            place = np.searchsorted(self.keys[self.winning], keys)
            counting = self.winning[np.minimum(place, len(self.winning) - 1)]
            quality = self.said.qualities[counting]
            set_by_hand = quality > ReadingQuality.PLACEHOLDER
            other = self.said.values[self.register][counting] != rows.values[self.register]
            other |= quality == ReadingQuality.CLEARED
            other &= self.keys[counting] == keys
            reasons[other] = WhyNot.LATER
            reasons[other & (quality < rows.qualities)] = WhyNot.BETTER
            if self.said.replaces is not None:
                reasons[other & self.said.replaces[counting]] = WhyNot.REPLACED
            reasons[other & ~added] = WhyNot.SAID_BEFORE
            reasons[other & set_by_hand] = WhyNot.EDITED
        reasons[rows.qualities == ReadingQuality.PLACEHOLDER] = WhyNot.PLACEHOLDER
        return reasons
