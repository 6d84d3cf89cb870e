"""The public catalogue of findings: what each rule checks, by which limits, and what follows.

`docs/findings.md` prints it; a test compares the two.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from commonwatt.domain.metering.catalogue import Medium, Mode
from commonwatt.domain.metering.findings import FindingRule
from commonwatt.domain.plausibility import clock
from commonwatt.domain.plausibility.days import both_ways, frozen, night, site_sum, unused
from commonwatt.domain.plausibility.days.register_check import LEAST_ENERGY as LEAST_MISMATCH
from commonwatt.domain.plausibility.meters import character, power_limits, several_series
from commonwatt.domain.plausibility.steps import catch_up, power, unusual_step
from commonwatt.domain.plausibility.steps.limits import LIMITS, Limits
from commonwatt.domain.vee.history import STAMP_TOLERANCE_S
from commonwatt.domain.vee.plausible_days import FAR_DAYS
from commonwatt.domain.vee.verdicts import SIGHT


@dataclass(frozen=True, slots=True)
class RuleDescription:
    """What one rule ``checks``, its default ``limits`` per medium, and what ``follows``."""

    checks: str
    limits: str
    follows: str


_NO_LIMIT = "none"
_SET_ASIDE = "Set aside."


def _mean(medium: Medium) -> int:
    return power_limits.mean_limit(medium, Mode.CONSUMPTION) // 1000


_HELD_BACK = (
    "Held back: not used, over all days beside it that show nothing else, until somebody accepts "
    "it or declares the meter otherwise."
)
_ONLY_FOUND = "Nothing but the finding."
_SLOW, _ELECTRICITY = LIMITS[Medium.COLD_WATER], LIMITS[Medium.ELECTRICITY]


def _per_hour(limits: Limits, unit: str) -> str:
    return f"{limits.per_hour // 1_000} {unit}"


DESCRIPTIONS: Mapping[FindingRule, RuleDescription] = {
    FindingRule.STAMP_AHEAD: RuleDescription(
        "A stamp ahead of its delivery.", "15 minutes", "Set aside until its time has come."
    ),
    FindingRule.STAMP_TOO_OLD: RuleDescription(
        "A stamp before 2000: a clock that was never set.", _NO_LIMIT, _SET_ASIDE
    ),
    FindingRule.OUTSIDE_LIFE: RuleDescription(
        "A reading before `installed_at` or after `removed_at`.", _NO_LIMIT, _SET_ASIDE
    ),
    FindingRule.STAMP_FAR_BEFORE: RuleDescription(
        "A stamp years before the next of its meter, of whatever register: a clock that started "
        "with some date. Not where `installed_at` is declared.",
        f"{FAR_DAYS // 365} years",
        "Set aside until other readings of the meter reach near it.",
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
        "whose removal makes the index non-decreasing; of a tie, the later. Not in a run of them "
        "that rises like a meter.",
        f"{SIGHT} readings to each side; a run: 2 readings next to each other",
        "Set aside: the spike, not the rest of the year.",
    ),
    FindingRule.INDEX_BREAK: RuleDescription(
        "A fall of the index that remains after that, and where a run that rises like a meter "
        "begins or ends. `start` and `end` are the two readings.",
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
        "Interval meters: a stamp beside a quarter-hour that another is nearer to (of a tie the "
        "earlier counts), or an interval that begins before the one before it ended.",
        f"{STAMP_TOLERANCE_S} s",
        _SET_ASIDE,
    ),
    FindingRule.INTERVAL_INCOMPLETE: RuleDescription(
        "Interval meters: finer intervals (of 1, 5, 10, 15 or 30 minutes) that do not fill one of "
        "the meter's, from the first to the last of them, or of which the last may be the "
        "total.",
        "the intervals beside it tell a finer one from one of the meter's",
        "Set aside: that interval is missing. Those that fill one are added up.",
    ),
    FindingRule.QUARTER_TOO_LARGE: RuleDescription(
        "A quarter-hour beyond what a profile holds.",
        "2,147,483,647 Wh or litres",
        "That quarter-hour is missing.",
    ),
    FindingRule.LOOKS_LIKE_INDEX: RuleDescription(
        "Interval meters: values of a UTC day that never fall, and rise by less than a thousandth "
        "of themselves, or, where they are not small for the meter, for hours without doubling or "
        "through the whole day: indexes.",
        f"{character.LEAST_RISES} rises; hours: {character.PART_S // 3600} h with "
        f"{character.PART_RISES} rises; a whole day: {character.WHOLE_DAY_S // 3600} h; small: up "
        f"to {character.LEAST_SHARE:.0%} of the mean that `looks-like-unit` allows",
        _HELD_BACK,
    ),
    FindingRule.LOOKS_LIKE_INTERVALS: RuleDescription(
        "Index meters: a UTC day on which the index falls again and again, zeros left out: "
        "energies of intervals, or powers.",
        f"all media: {character.FEWEST_FALLS} falls by more than 1 %, in one of four readings, of "
        f"at least {character.FEWEST_A_DAY}",
        _HELD_BACK,
    ),
    FindingRule.LOOKS_LIKE_COARSER_INTERVALS: RuleDescription(
        "Interval meters: a UTC day whose readings lie a constant multiple of the interval apart.",
        f"{character.FEWEST_A_DAY} readings, {character.EVEN_SHARE * 100:.0f} % of the steps alike",
        _HELD_BACK,
    ),
    FindingRule.LOOKS_LIKE_SEVERAL_SERIES: RuleDescription(
        "A UTC day of which deliveries say wholly different values for most instants, of one "
        "quality and none of them issued, replacing or replaced: one series a phase or tariff, or "
        "two meters under one name.",
        f"{several_series.FEWEST} instants, half of the day's; together intervals differ by "
        f"{several_series.LEAST_SHARE * 100:.0f} %, indexes by more than the day's rise; a "
        f"{several_series.UNIT_TIMES} times larger value is a unit that was corrected",
        _HELD_BACK,
    ),
    FindingRule.LOOKS_LIKE_UNIT: RuleDescription(
        "More than can flow, in several spans of a UTC day or in its mean: a unit a thousand times "
        "smaller, as Wh for kWh or litres for m3. Of an index meter all is held back from where "
        "its index begins anew to where it does again.",
        f"the mean of {character.LONG_S // 3600} h without the two largest spans: the limit of "
        f"`power-above-limit`, consumers of electricity {_mean(Medium.ELECTRICITY)} kW, water "
        f"{_mean(Medium.COLD_WATER)} m3 an hour; {character.HIGH_SPANS} spans of a day: "
        f"{power_limits.HIGH_TIMES} times the limit of `power-above-limit`; "
        "declared limits up to 3 times",
        _HELD_BACK,
    ),
    FindingRule.GAP: RuleDescription(
        "Consecutive readings too far apart. Of an interval meter: intervals that nobody sent.",
        f"electricity, charge points: {_ELECTRICITY.gap_s // 3600} h; heat, cooling, water: "
        f"{_SLOW.gap_s // 3600} h, or `expected` of the meter if longer; interval meters: none",
        "The energy is spread over the gap as `estimated`; intervals are missing.",
    ),
    FindingRule.DUPLICATE_READING: RuleDescription(
        "Several versions of one instant and quality with different values.",
        _NO_LIMIT,
        "Nothing but the finding: the version that was issued or came last counts.",
    ),
    FindingRule.READINGS_UNUSED: RuleDescription(
        "A UTC day of which much energy rests on readings that are not used: indexes out of order "
        "and zeros, stamps off the interval, overlaps, and rows of one delivery that contradict "
        "each other. At stake is what was counted between the used readings around them, and "
        "what they would have counted themselves.",
        f"{unused.LEAST_READINGS} such readings; of the day's energy and at least: electricity, "
        f"charge points {_ELECTRICITY.unused_percent} %, {_ELECTRICITY.unused_least} Wh, heat and "
        f"cooling {LIMITS[Medium.HEATING].unused_percent} %, "
        f"{LIMITS[Medium.HEATING].unused_least} Wh, water {_SLOW.unused_percent} %, "
        f"{_SLOW.unused_least} litres",
        "The quarter-hours that rest on them are at best `estimated`, until somebody says what "
        "it was.",
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
    FindingRule.UNUSUAL_STEP: RuleDescription(
        f"A step above {unusual_step.TIMES} times what is ordinary: the third highest of the "
        f"{power.SIGHT} spans to each side, and the power that the register's third highest day "
        "reached, whenever that was, up to the next power of two. Before three days are known only "
        "where the spans beside it rise. Below the limits of the rules above; not of charge "
        "points, nor where `max_per_hour` is declared.",
        f"a step of {_ELECTRICITY.step // 1_000} kWh or {_SLOW.step} litres, within a day",
        _ONLY_FOUND,
    ),
    FindingRule.FROZEN_REGISTER: RuleDescription(
        "A UTC day without any energy: of a grid connection (`introduction`) "
        "`en_im`, unless the site has a "
        "battery; of a production meter in the half of the year around summer.",
        f"grid connection: 0 kWh; production: 0 kWh in months {frozen.SUNNY_MONTHS[0]} to "
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
        "A UTC day on which an interval meter and its `register_meter` differ; where that is read "
        "too seldom for its quarter-hours to be known, as once a month, the span between two of "
        "its readings, filed under the later one. A constant factor is named.",
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
