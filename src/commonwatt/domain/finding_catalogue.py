"""The public catalogue of findings: what each rule checks, by which limits, and what follows.

`docs/findings.md` prints it; a test compares the two.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from commonwatt.domain.catalogue import Medium
from commonwatt.domain.findings import FindingRule
from commonwatt.domain.plausibility import (
    both_ways,
    catch_up,
    clock,
    frozen,
    night,
    power,
    site_sum,
)
from commonwatt.domain.plausibility.limits import LIMITS, Limits
from commonwatt.domain.plausibility.register_check import LEAST_ENERGY as LEAST_MISMATCH
from commonwatt.domain.vee.interval_energy import STAMP_TOLERANCE_S
from commonwatt.domain.vee.verdicts import SIGHT


@dataclass(frozen=True, slots=True)
class RuleDescription:
    """What one rule ``checks``, its default ``limits`` per medium, and what ``follows``."""

    checks: str
    limits: str
    follows: str


_NO_LIMIT = "none"
_SET_ASIDE = "Set aside."
_ONLY_FOUND = "Nothing but the finding."
_SLOW, _ELECTRICITY = LIMITS[Medium.COLD_WATER], LIMITS[Medium.ELECTRICITY]


def _per_hour(limits: Limits, unit: str) -> str:
    return f"{limits.per_hour // 1_000} {unit}"


DESCRIPTIONS: Mapping[FindingRule, RuleDescription] = {
    FindingRule.STAMP_AHEAD: RuleDescription(
        "A stamp ahead of its delivery.", "15 minutes", _SET_ASIDE
    ),
    FindingRule.STAMP_TOO_OLD: RuleDescription(
        "A stamp before 2000: a clock that was never set.", _NO_LIMIT, _SET_ASIDE
    ),
    FindingRule.OUTSIDE_LIFE: RuleDescription(
        "A reading before `installed_at` or after `removed_at`.", _NO_LIMIT, _SET_ASIDE
    ),
    FindingRule.DECLARED_FAULTY: RuleDescription(
        "A reading in a span that somebody declared faulty.", _NO_LIMIT, _SET_ASIDE
    ),
    FindingRule.CLEARED_BY_EDIT: RuleDescription(
        "A reading that somebody cleared.", _NO_LIMIT, "Set aside until that edit is undone."
    ),
    FindingRule.ZERO_AFTER_POSITIVE: RuleDescription(
        "An index of 0 after an earlier positive one: the meter was absent or had no power.",
        _NO_LIMIT,
        "Set aside. A true reset shows itself by its first other reading.",
    ),
    FindingRule.INDEX_OUT_OF_ORDER: RuleDescription(
        "A reading that stands against its surroundings: in the window centred on it, the fewest "
        "whose removal makes the index non-decreasing; of a tie, the later.",
        f"{SIGHT} readings to each side",
        "Set aside: the spike, not the rest of the year.",
    ),
    FindingRule.INDEX_BREAK: RuleDescription(
        "A fall of the index that remains after that. `start` and `end` are the two readings.",
        _NO_LIMIT,
        "Both are used; the quarter-hours across are missing until somebody says what it was.",
    ),
    FindingRule.SERIAL_CHANGED: RuleDescription(
        "Two consecutive readings with different serials, and no exchange declared between.",
        _NO_LIMIT,
        "The quarter-hours across are missing until the exchange is declared.",
    ),
    FindingRule.ROLLOVER: RuleDescription(
        "A register that ran over its last digit: from nine tenths of its range or more to a "
        "tenth or less, in a time in which that can flow.",
        "the digits declared, else the smallest power of ten above the index, at least 10000; "
        "`max_per_hour` of the meter, else 4 times the third highest rate of the 8 spans to each "
        "side",
        "The register counts on; no energy is lost.",
    ),
    FindingRule.STAMP_OFF_INTERVAL: RuleDescription(
        "Interval meters: a stamp beside the quarter-hour.", f"{STAMP_TOLERANCE_S} s", _SET_ASIDE
    ),
    FindingRule.INTERVAL_OVERLAP: RuleDescription(
        "Interval meters: an interval that begins before the one before it ended.",
        _NO_LIMIT,
        _SET_ASIDE,
    ),
    FindingRule.QUARTER_TOO_LARGE: RuleDescription(
        "A quarter-hour beyond what a profile holds.",
        "2,147,483,647 Wh or litres",
        "That quarter-hour is missing.",
    ),
    FindingRule.GAP: RuleDescription(
        "Consecutive readings too far apart. Of an interval meter: intervals that nobody sent.",
        f"electricity, charge points: {_ELECTRICITY.gap_s // 3600} h; heat, cooling, water: "
        f"{_SLOW.gap_s // 3600} h; interval meters: none",
        "The energy is spread over the gap as `estimated`; intervals are missing.",
    ),
    FindingRule.DUPLICATE_READING: RuleDescription(
        "Several versions of one instant and quality with different values.",
        _NO_LIMIT,
        "Nothing but the finding: the version that was issued or came last counts.",
    ),
    FindingRule.POWER_ABOVE_LIMIT: RuleDescription(
        "More energy between two readings than could flow. Without a declared limit it also has "
        f"to be above {power.TIMES} times the third highest of the {power.SIGHT} spans to each "
        "side.",
        "`max_per_hour` of the meter, else `connection_w` of the site, else electricity: "
        f"{_per_hour(_ELECTRICITY, 'kWh')}, charge points: "
        f"{_per_hour(LIMITS[Medium.CHARGE_POINT], 'kWh')}, heat and cooling: "
        f"{_per_hour(LIMITS[Medium.HEATING], 'kWh')}, water: {_per_hour(_SLOW, 'm3')} an hour; "
        f"and a step of {_ELECTRICITY.step // 1_000} kWh or {_SLOW.step} litres",
        "Nothing but the finding: an index may have made up for what was not read.",
    ),
    FindingRule.CATCH_UP: RuleDescription(
        "A step after a standstill (indexes that repeat, intervals that nobody sent) above that "
        "limit, while the mean over standstill and step is within it and what is ordinary: "
        f"{power.TIMES} times the third highest of the {catch_up.SIGHT} spans to each side. Where "
        "nothing is declared, of a consumer also a step above what is ordinary, if all spans in "
        "sight rise; not of charge points, nor of meters that export too.",
        "as `power-above-limit`, which does not find it a second time; a standstill longer than "
        f"{catch_up.SIGHT} spans may have lasted {catch_up.LONGEST_DAYS} days",
        "Nothing but the finding, until somebody says that the index hung: then the energy is "
        "spread over the standstill as `estimated`.",
    ),
    FindingRule.FROZEN_REGISTER: RuleDescription(
        "A UTC day without any energy: of an introduction meter `en_im`, unless the site has a "
        "battery; of a production meter in the half of the year around summer.",
        f"introduction: 0 kWh; production: 0 kWh in months {frozen.SUNNY_MONTHS[0]} to "
        f"{frozen.SUNNY_MONTHS[-1]} (south of the equator the others)",
        _ONLY_FOUND,
    ),
    FindingRule.CLOCK_SKEW: RuleDescription(
        "A UTC day of an index meter that is read every quarter-hour, and always beside it.",
        f"all media: {clock.SKEW_S} s, shared by nine of ten stamps to {clock.SPREAD_S} s, at "
        f"least {clock.LEAST_READINGS} readings",
        "Nothing but the finding: indexes are interpolated at the quarter-hour.",
    ),
    FindingRule.INTERVAL_REGISTER_MISMATCH: RuleDescription(
        "A UTC day on which an interval meter and its `register_meter` differ; a constant factor "
        "is named.",
        f"all media: 1 % of the register's rise and {LEAST_MISMATCH} Wh or litres",
        _ONLY_FOUND,
    ),
    FindingRule.IMPORT_AND_EXPORT: RuleDescription(
        "A UTC day in which a meter imports and exports alike in the same quarter-hours: phases "
        "summed instead of balanced, or one wired in reverse.",
        f"electricity: {both_ways.LEAST_QUARTERS} quarter-hours with at least "
        f"{both_ways.LEAST_ENERGY} Wh both ways, the lesser half of the larger or more",
        _ONLY_FOUND,
    ),
    FindingRule.SITE_SUM: RuleDescription(
        "A UTC day on which production + import - export - consumers - charging + discharging is "
        "not 0. Only with a grid meter and measured producers; it is filed under the grid meter.",
        f"electricity: {site_sum.PERCENT} % of the consumption, at least "
        f"{site_sum.LEAST_ENERGY // 1_000} kWh",
        _ONLY_FOUND,
    ),
    FindingRule.PRODUCTION_AT_NIGHT: RuleDescription(
        f"A UTC day on which a producer delivers from {night.NIGHT_FROM_H}:00 to "
        f"0{night.NIGHT_TO_H}:00 local time; not beyond {night.LATITUDE_MAX} degrees of latitude.",
        f"electricity: {night.LEAST_ENERGY} Wh",
        _ONLY_FOUND,
    ),
}
"""Every rule, in the order in which they are documented."""
