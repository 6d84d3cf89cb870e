"""Replaying a period under another allocation key: who would gain, and who would lose."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from commonwatt.app.declaring.keys import key_faults_at
from commonwatt.app.declaring.rules import meter_label
from commonwatt.app.errors import CommonwattError
from commonwatt.app.ports import Snapshot
from commonwatt.app.series.read import read_site_series
from commonwatt.app.settling.settle_site import LONGEST_RUN_DAYS
from commonwatt.domain.balance.simulated_key import (
    SettledMeter,
    shares_under_key,
    sharing_spans,
    under_key,
)
from commonwatt.domain.metering.catalogue import Medium, Meter, SiteCatalogue
from commonwatt.domain.metering.quality import exists
from commonwatt.domain.metering.quarter_hours import DAY_QUARTERS, quarter_of


class KeyLacksTerms(CommonwattError):
    """A key cannot be replayed: ``reasons`` say what it needs of which meter."""

    def __init__(self, key: str, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        listed = "; ".join(self.reasons)
        hint = "declare what it needs with a valid_from to come, and it can be tried"
        super().__init__(f"{key} cannot be replayed: {listed}; {hint}")


@dataclass(frozen=True, slots=True)
class Simulated:
    """A consumer over a period [Wh]: what it used, and its share as settled and under the key.

    Only quarter-hours count in which the consumer has a settled share.
    """

    meter: Meter
    total: int
    self_now: int
    self_then: int

    @property
    def difference(self) -> int:
        """What it would gain, or lose if negative [Wh]."""
        return self.self_then - self.self_now


def simulate_key(
    snapshot: Snapshot,
    catalogue: SiteCatalogue,
    key: str,
    first_quarter: int,
    end_quarter: int,
    replayed: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[Simulated]:
    """Replay the quarter-hours [first, end) under a key, with what was declared for them.

    Returns the consumers of the balance that had shares, in ascending order of meter id.
    ``replayed`` is called after each run with the quarter-hours done and those there are. Raises
    `KeyLacksTerms`.
    """
    hypothetical = under_key(catalogue, key)
    _check(hypothetical, key, first_quarter, end_quarter)
    found: dict[int, Simulated] = {}
    step, end = LONGEST_RUN_DAYS * DAY_QUARTERS, end_quarter
    for first in range(first_quarter, end_quarter, step):
        for each in _simulated(snapshot, catalogue, hypothetical, first, min(first + step, end)):
            before = found.get(each.meter.number, Simulated(each.meter, 0, 0, 0))
            found[each.meter.number] = Simulated(
                each.meter,
                before.total + each.total,
                before.self_now + each.self_now,
                before.self_then + each.self_then,
            )
        replayed(min(first + step, end) - first_quarter, end - first_quarter)
    return sorted(found.values(), key=lambda each: (each.meter.medium.value, each.meter.prim_ad))


def _check(hypothetical: SiteCatalogue, key: str, first_quarter: int, end_quarter: int) -> None:
    """Raise `KeyLacksTerms` for what the key lacks at any instant of the quarter-hours."""
    spans = sharing_spans(hypothetical, first_quarter, end_quarter)
    joined = {meter.installed_at for meter in hypothetical.meters if meter.installed_at is not None}
    instants = {at for at in joined if first_quarter <= quarter_of(at) < end_quarter}
    instants |= {start_at for start_at, _ in spans}
    lacking: dict[tuple[str, str], set[tuple[int, str]]] = {}
    for at in sorted(instants):
        for meter, name, reason in key_faults_at(hypothetical, at):
            lacking.setdefault((name, reason), set()).add((meter.prim_ad, meter_label(meter)))
    if lacking:
        reasons = [
            f"{name} of {', '.join(label for _, label in sorted(of))} {reason}"
            for (name, reason), of in lacking.items()
        ]
        raise KeyLacksTerms(key, reasons)


def _simulated(
    snapshot: Snapshot,
    catalogue: SiteCatalogue,
    hypothetical: SiteCatalogue,
    first_quarter: int,
    end_quarter: int,
) -> list[Simulated]:
    series = read_site_series(
        snapshot, catalogue, Medium.ELECTRICITY, first_quarter, end_quarter, with_meters=True
    )
    if series is None:
        return []
    settled = [
        SettledMeter(meter, each.total, each.self_energy, each.quality_self)
        for meter, each in series.meters
    ]
    shares = shares_under_key(hypothetical, first_quarter, series.balance, settled)
    found: list[Simulated] = []
    for each in settled:
        if each.self_energy is None or each.quality_self is None:
            continue
        known = exists(each.quality_self)
        if known.any():
            sums = (each.total, each.self_energy, shares[each.meter.number])
            total, now, then = (int(energy[known].sum()) for energy in sums)
            found.append(Simulated(each.meter, total, now, then))
    return found
