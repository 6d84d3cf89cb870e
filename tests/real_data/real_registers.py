"""Real registers, judged and settled with their whole history at once."""

import csv
import datetime as dt
import gzip
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from commonwatt.domain.energy.physical_meter import JudgedMeter
from commonwatt.domain.metering.catalogue import (
    Medium,
    Meter,
    MeterFacts,
    Mode,
    Register,
    Site,
    SiteCatalogue,
    SiteFacts,
)
from commonwatt.domain.metering.findings import Finding, FindingRule
from commonwatt.domain.metering.quality import Quality
from commonwatt.domain.metering.readings import RegisterReadings
from commonwatt.domain.settlement import settle
from commonwatt.domain.vee.history import RegisterHistory
from commonwatt.domain.vee.ordinary import HighestDays, highest_powers
from commonwatt.domain.vee.pipeline import judge_index_register

Stamped = Mapping[int, int]
"""Indexes [mWh, ml] by instant [Unix seconds]."""


def rows_of(file: Path, delimiter: str = ",") -> Sequence[dict[str, str]]:
    """The rows of a gzipped table; empty lines are left out."""
    with gzip.open(file, "rt", encoding="utf-8-sig", newline="") as lines:
        filled = (line for line in lines if line.strip())
        return list(csv.DictReader(filled, delimiter=delimiter))


def at(text: str, zone: ZoneInfo) -> int:
    """The instant of a stamp, of the zone's wall clock unless it says otherwise."""
    instant = dt.datetime.fromisoformat(text)
    return int((instant if instant.tzinfo else instant.replace(tzinfo=zone)).timestamp())


def raw(text: str, units: int = 10**6) -> int:
    """An index in mWh or ml, of as many in its unit."""
    return int(Decimal(text) * units)


def meter_of(number: int, mode: Mode, medium: Medium = Medium.ELECTRICITY) -> Meter:
    """A meter that is only what it has to be."""
    facts = MeterFacts(valid_from=0, valid_to=None, mode=mode)
    return Meter(
        number=number,
        id=f"{number:024x}",
        name=f"Meter {number}",
        medium=medium,
        prim_ad=number,
        facts=(facts,),
    )


def judged(meter: Meter, registers: Mapping[Register, Stamped]) -> JudgedMeter:
    """Judge the whole history of a meter."""
    found, ordinary = {}, dict[Register, int | None]()
    for register, stamped in registers.items():
        stamps = np.array(sorted(stamped), np.int64)
        values = np.array([stamped[stamp] for stamp in stamps.tolist()], np.int64)
        measured = np.full(len(stamps), Quality.MEASURED, np.uint8)
        positive = stamps[values > 0]
        history = RegisterHistory(
            meter=meter.number,
            register=register.value,
            readings=RegisterReadings(stamps, values, measured, np.zeros(len(stamps), np.bool_)),
            from_start=True,
            to_end=True,
            first_positive_at=int(positive[0]) if len(positive) else None,
        )
        found[register] = judge_index_register(history, meter)
        highest = HighestDays().with_days(highest_powers(history.readings, None))
        ordinary[register] = highest.ordinary if highest else None
    return JudgedMeter(meter, found, ordinary=ordinary)


def findings_of(zone: ZoneInfo, *meters: JudgedMeter) -> Sequence[Finding]:
    """All findings about the meters of a site, in the order of their instants."""
    site = Site(number=1, id="5" * 24, name="House", timezone=zone.key, latitude=50.0)
    catalogue = SiteCatalogue(
        site=site,
        facts=(SiteFacts(valid_from=0, valid_to=None),),
        meters=tuple(each.meter for each in meters),
        sensors=(),
        generation=1,
    )
    stamps = [
        int(stamp)
        for each in meters
        for register in each.registers.values()
        for stamp in (register.accepted_stamps[0], register.accepted_stamps[-1])
    ]
    first, end = min(stamps) // 86_400 * 96, (max(stamps) // 86_400 + 1) * 96
    group = meters[0].meter.medium.group
    found = settle(catalogue, group, meters, first, end).findings
    return sorted(found, key=lambda each: (each.end_at, each.rule, each.register))


def counts(findings: Sequence[Finding]) -> dict[FindingRule, int]:
    """How often each rule found something."""
    rules = sorted(each.rule for each in findings)
    return {rule: rules.count(rule) for rule in dict.fromkeys(rules)}
