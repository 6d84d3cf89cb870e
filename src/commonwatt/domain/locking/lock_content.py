"""The content of a locked period, hashed so that anybody with the answers can check it.

SHA-256 over, one after the other:

1. the ASCII line ``commonwatt-lock-1 SITE GROUP FROM UNTIL BEFORE`` and a line feed: the site's id,
   the group, the period in Unix seconds (``-`` where it has no beginning), and the hash of the step
   of locking before (``-`` for the first);
2. for each meter of the group in ascending order of its id: the ASCII line ``meter ID`` and a line
   feed, then a record for each quarter-hour of its life in the period, ascending;
3. for each medium of the group in alphabetical order: the ASCII line ``balance MEDIUM`` and a line
   feed, then a record for each quarter-hour whose balance could be computed, ascending.

A meter or medium without a record has no line either.

A record of a meter is the start [Unix seconds], ``total``, ``self``, ``ext`` [Wh, litre] as signed
64-bit numbers, little endian, then the codes of the qualities of total and of self and of the
method as a byte each: 35 bytes. What is unknown is 0. A record of a balance is the start,
``conso_total``, ``prod_total``, ``from_ext``, ``self``, ``to_ext``, ``storage_charging_self``,
``storage_charging_total``, ``storage_discharging_total``, ``unallocated`` and ``unmetered`` as such
numbers, then the code of the quality: 89 bytes.
"""

import hashlib
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.load_profile import Energy, Qualities, SiteBalance
from commonwatt.domain.metering.quality import Quality, exists
from commonwatt.domain.metering.quarter_hours import QUARTER_S

_FORM = "commonwatt-lock-1"
_NONE = "-"


class LockContent:
    """Hashes a locked period, part by part in the order that the module describes."""

    def __init__(
        self,
        site_id: str,
        group: str,
        from_at: int | None,
        until_at: int,
        hash_before: str | None,
    ) -> None:
        """Begin with what the period is; ``from_at`` is None where it has no beginning."""
        self._hash = hashlib.sha256()
        self._heading = b""
        words = (_FORM, site_id, group, from_at, until_at, hash_before)
        self._hash.update(_line(*(_NONE if word is None else str(word) for word in words)))

    def begin_meter(self, meter_id: str) -> None:
        """Begin the records of a meter."""
        self._heading = _line("meter", meter_id)

    def begin_balance(self, medium: str) -> None:
        """Begin the records of a balance."""
        self._heading = _line("balance", medium)

    def add_meter(
        self,
        first_quarter: int,
        total: Energy,
        self_energy: Energy | None,
        quality_total: Qualities,
        quality_self: Qualities | None,
        method: Qualities,
    ) -> None:
        """Add the quarter-hours of a meter from ``first_quarter`` on."""
        absent = np.full(len(total), Quality.ABSENT, np.uint8)
        quality_self = absent if quality_self is None else quality_self
        known, shared = exists(quality_total), exists(quality_self)
        own = np.zeros(len(total), np.int64) if self_energy is None else self_energy
        columns = {
            "total": np.where(known, total, 0),
            "self": np.where(shared, own, 0),
            "ext": np.where(shared, total - own, 0),
        }
        qualities = {
            "quality_total": quality_total,
            "quality_self": quality_self,
            "method": method,
        }
        self._records(first_quarter, quality_total != Quality.ABSENT, columns, qualities)

    def add_balance(self, first_quarter: int, balance: SiteBalance) -> None:
        """Add the quarter-hours of a balance from ``first_quarter`` on."""
        columns = {
            "conso_total": balance.conso_total,
            "prod_total": balance.prod_total,
            "from_ext": balance.from_ext,
            "self": balance.self_energy,
            "to_ext": balance.to_ext,
            "storage_charging_self": balance.storage_charging_self,
            "storage_charging_total": balance.storage_charging,
            "storage_discharging_total": balance.storage_discharging,
            "unallocated": balance.self_energy - balance.allocated,
            "unmetered": balance.unmetered,
        }
        there = exists(balance.quality)
        self._records(first_quarter, there, columns, {"quality": balance.quality})

    def hexdigest(self) -> str:
        """The hash, 64 hex digits."""
        return self._hash.hexdigest()

    def _records(
        self,
        first_quarter: int,
        there: NDArray[np.bool_],
        amounts: Mapping[str, Energy],
        qualities: Mapping[str, Qualities],
    ) -> None:
        fields: Iterable[tuple[str, str]] = (
            ("start", "<i8"),
            *((name, "<i8") for name in amounts),
            *((name, "u1") for name in qualities),
        )
        positions = np.flatnonzero(there)
        if not len(positions):
            return
        records = np.empty(len(positions), np.dtype(list(fields)))
        records["start"] = (positions + first_quarter) * QUARTER_S
        for name, amount in amounts.items():
            records[name] = amount[positions]
        for name, quality in qualities.items():
            records[name] = quality[positions]
        self._hash.update(self._heading + records.tobytes())
        self._heading = b""


def _line(*words: str) -> bytes:
    return (" ".join(words) + "\n").encode("ascii")
