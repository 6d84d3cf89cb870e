"""What an upgrade of the rules alone changes of locked quarter-hours."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.load_profile import Energy, LoadProfile, Qualities


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleChange:
    """By how much upgrades changed the quarter-hours of a meter over a run [Wh, litre].

    ``changed`` tells in which they did; there the qualities are those that the rules lead to.
    Elsewhere all is 0.
    """

    changed: NDArray[np.bool_]
    im: Energy
    ex: Energy
    self_energy: Energy
    quality_total: Qualities
    quality_self: Qualities

    @classmethod
    def between(cls, before: LoadProfile, after: LoadProfile) -> Self:
        """The change from one profile to another of the same readings."""
        length = len(before.quality_total)
        moved = {
            name: _filled(getattr(after, name), length) - _filled(getattr(before, name), length)
            for name in ("im", "ex", "self_energy")
        }
        qualities = (
            (_codes(each.quality_total, length), _codes(each.quality_self, length))
            for each in (before, after)
        )
        (total, own), (total_after, own_after) = qualities
        changed = (total != total_after) | (own != own_after)
        for column in moved.values():
            changed |= column != 0
        return cls(
            changed=changed,
            **moved,
            quality_total=np.where(changed, total_after, 0).astype(np.uint8),
            quality_self=np.where(changed, own_after, 0).astype(np.uint8),
        )

    def then(self, later: Self) -> Self:
        """This change and the one of a later upgrade."""
        return replace(
            self,
            changed=self.changed | later.changed,
            im=self.im + later.im,
            ex=self.ex + later.ex,
            self_energy=self.self_energy + later.self_energy,
            quality_total=np.where(later.changed, later.quality_total, self.quality_total),
            quality_self=np.where(later.changed, later.quality_self, self.quality_self),
        )

    def until(self, position: int) -> Self:
        """The change of the quarter-hours before a position, nothing after."""
        inside = np.arange(len(self.changed)) < position
        return replace(
            self,
            changed=self.changed & inside,
            im=np.where(inside, self.im, 0),
            ex=np.where(inside, self.ex, 0),
            self_energy=np.where(inside, self.self_energy, 0),
            quality_total=np.where(inside, self.quality_total, np.uint8(0)),
            quality_self=np.where(inside, self.quality_self, np.uint8(0)),
        )

    def of(self, locked: LoadProfile) -> LoadProfile:
        """What would be answered instead of what is locked, had nothing but the rules changed."""
        return replace(
            locked,
            im=_moved(locked.im, self.im),
            ex=_moved(locked.ex, self.ex),
            self_energy=_moved(locked.self_energy, self.self_energy),
            quality_total=np.where(self.changed, self.quality_total, locked.quality_total),
            quality_self=self._quality_self(locked),
        )

    def _quality_self(self, locked: LoadProfile) -> Qualities | None:
        if locked.quality_self is None and not self.quality_self.any():
            return None
        before = _codes(locked.quality_self, len(self.changed))
        return np.where(self.changed, self.quality_self, before)


def _filled(column: Energy | None, length: int) -> Energy:
    return np.zeros(length, np.int64) if column is None else column


def _codes(column: Qualities | None, length: int) -> Qualities:
    return np.zeros(length, np.uint8) if column is None else column


def _moved(column: Energy | None, by: Energy) -> Energy | None:
    return None if column is None and not by.any() else _filled(column, len(by)) + by
