"""Rule ``gap``: nobody read the register for longer than its medium allows."""

import numpy as np

from commonwatt.domain.metering.catalogue import Meter
from commonwatt.domain.metering.findings import Finding, FindingRule
from commonwatt.domain.plausibility.steps.counted import Counted, energy_of
from commonwatt.domain.plausibility.steps.limits import LIMITS


def gaps(
    meter: Meter, register: str, counted: Counted, start_at: int, end_at: int
) -> list[Finding]:
    """Return a finding for each gap that ends in [start, end) [Unix seconds].

    Of an index register: two accepted readings farther apart than the medium's limit and than is
    expected of the meter, with the energy counted meanwhile unless a break lies between. Of an
    interval register: intervals that nobody sent.
    """
    if meter.interval_s is None:
        silent_from, silent_to = counted.starts_at, counted.ends_at
        allowed_s = max(LIMITS[meter.medium].gap_s, meter.longest_expected_s)
    else:
        silent_from, silent_to = counted.ends_at[:-1], counted.starts_at[1:]
        allowed_s = 0
    silent_s = silent_to - silent_from
    if silent_s.max(initial=0) <= allowed_s:
        return []
    first, end = np.searchsorted(silent_to, (start_at, end_at)).tolist()
    findings = []
    for position in (np.flatnonzero(silent_s[first:end] > allowed_s) + first).tolist():
        from_at, to_at = int(silent_from[position]), int(silent_to[position])
        evidence = {"seconds": to_at - from_at}
        if meter.interval_s is None and counted.known[position]:
            factor = counted.factor or meter.facts_at(to_at).factor
            evidence["energy"] = energy_of(int(counted.rises[position]), factor)
        findings.append(Finding(FindingRule.GAP, meter.number, register, from_at, to_at, evidence))
    return findings
