"""What consumers would have had of the same energy under another allocation key."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from commonwatt.domain.allocation import KEYS, ShareMeaning, share_out
from commonwatt.domain.balance.declared_terms import ConsumerTerms, ProducerTerms, declared_terms
from commonwatt.domain.metering.catalogue import (
    Group,
    Meter,
    MeterFacts,
    Mode,
    SiteCatalogue,
    SiteFacts,
    valid_spans,
)
from commonwatt.domain.metering.load_profile import Energy, Qualities, SiteBalance
from commonwatt.domain.metering.quality import exists
from commonwatt.domain.metering.quarter_hours import QUARTER_S


@dataclass(frozen=True, slots=True)
class SettledMeter:
    """A settled meter over a run [Wh]; ``self_energy`` and its quality are those of a consumer."""

    meter: Meter
    total: Energy
    self_energy: Energy | None
    quality_self: Qualities | None


def under_key(catalogue: SiteCatalogue, name: str) -> SiteCatalogue:
    """Return a site as if it always had this key.

    A share means what it means to the key it was declared with. So it is kept where that key takes
    it as the new one does; elsewhere that of the facts that hold last counts, if they go with such
    a key, else none. So a key that is declared from a later day on can be tried with its shares.
    Producers that a consumer does not name yet are those that it names last.
    """
    site_facts = tuple(replace(facts, key=name) for facts in catalogue.facts)
    meters = tuple(_meter_under_key(catalogue, name, meter) for meter in catalogue.meters)
    return replace(catalogue, facts=site_facts, meters=meters)


def _meter_under_key(catalogue: SiteCatalogue, name: str, meter: Meter) -> Meter:
    starts = {facts.valid_from for facts in meter.facts}
    ordered = sorted(starts | {facts.valid_from for facts in catalogue.facts})
    facts = tuple(
        replace(
            meter.facts_at(start),
            valid_from=start,
            valid_to=end,
            share=_share_under_key(catalogue, name, meter, start),
            producers=meter.facts_at(start).producers or meter.current.producers,
        )
        for start, end in zip(ordered, [*ordered[1:], None], strict=True)
    )
    return replace(meter, facts=facts)


def _share_under_key(catalogue: SiteCatalogue, name: str, meter: Meter, at: int) -> Decimal | None:
    alike = (KEYS[name].meaning, ShareMeaning.NONE)
    if KEYS[catalogue.site_facts_at(at).key].meaning in alike:
        return meter.facts_at(at).share
    return meter.current.share if KEYS[catalogue.facts[-1].key].meaning in alike else None


def shares_under_key(
    catalogue: SiteCatalogue,
    first_quarter: int,
    balance: SiteBalance,
    settled: Sequence[SettledMeter],
) -> dict[int, Energy]:
    """Share the settled energy of a run by the site's keys; return shares [Wh] by meter number.

    ``settled`` holds every meter of electricity and charge points. Where the balance does not
    exist, or a consumer was not alive, its share is 0.
    """
    length = len(balance.quality)
    shares = {
        each.meter.number: np.zeros(length, np.int64)
        for each in settled
        if each.quality_self is not None
    }
    ordered = sorted(settled, key=lambda each: each.meter.id)
    for from_at, to_at in sharing_spans(catalogue, first_quarter, first_quarter + length):
        quarters = slice(from_at // QUARTER_S - first_quarter, to_at // QUARTER_S - first_quarter)
        _share_span(catalogue, from_at, quarters, balance, ordered, shares)
    return shares


def sharing_spans(
    catalogue: SiteCatalogue, first_quarter: int, end_quarter: int
) -> list[tuple[int, int]]:
    """Cut the quarter-hours [first, end) where facts change that shares depend on; in seconds."""
    validity: list[MeterFacts | SiteFacts] = list(catalogue.facts)
    for meter in catalogue.meters_of(Group.ELECTRICITY):
        validity += meter.facts
    return valid_spans(first_quarter * QUARTER_S, end_quarter * QUARTER_S, validity)


def _share_span(
    catalogue: SiteCatalogue,
    from_at: int,
    quarters: slice,
    balance: SiteBalance,
    ordered: Sequence[SettledMeter],
    shares: dict[int, Energy],
) -> None:
    """Share the quarter-hours of a slice, of which ``from_at`` is the first, into ``shares``."""
    facts_of = {meter.number: meter.facts_at(from_at) for meter in catalogue.meters}
    members = [each for each in ordered if facts_of[each.meter.number].is_member]
    consumers = [
        (each, facts_of[each.meter.number], each.quality_self[quarters])
        for each in members
        if each.quality_self is not None and _mode(facts_of, each) is Mode.CONSUMPTION
    ]
    key = KEYS[catalogue.site_facts_at(from_at).key]
    own, used = (
        balance.self_energy[quarters],
        (balance.conso_total - balance.unmetered)[quarters],
    )
    known = exists(balance.quality[quarters])
    terms = declared_terms(
        catalogue,
        key,
        from_at // QUARTER_S,
        np.where(known, np.maximum(0, np.minimum(own, used)), 0),
        np.where(known, np.maximum(0, own + balance.to_ext[quarters]), 0),
        [
            ConsumerTerms(facts, np.where(exists(quality), each.total[quarters], 0))
            for each, facts, quality in consumers
        ],
        [
            ProducerTerms(each.meter.number, each.total[quarters])
            for each in members
            if _mode(facts_of, each) is Mode.PRODUCTION
        ],
    )
    for (each, _, _), share in zip(consumers, share_out(key, terms), strict=True):
        shares[each.meter.number][quarters] = share


def _mode(facts_of: dict[int, MeterFacts], settled: SettledMeter) -> Mode:
    return facts_of[settled.meter.number].mode
