"""Whether a site's allocation key has what it needs of the meters, at every instant."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from commonwatt.app.declaring.declaration import DeclarationFault
from commonwatt.app.declaring.rules import meter_label
from commonwatt.domain.allocation import KEYS, Key, ShareMeaning
from commonwatt.domain.balance.declared_terms import named_producer
from commonwatt.domain.metering.catalogue import Group, Meter, Mode, SiteCatalogue

_ALL = Decimal(100)
Fault = tuple[Meter, str, str]
"""The meter, the key of its declaration, and what is wrong."""


def key_faults(
    catalogue: SiteCatalogue, lines: Mapping[int, int], site_line: int
) -> list[DeclarationFault]:
    """Return what a site as it will be lacks for its allocation key.

    ``lines`` tells on which line a meter, named by its number, is declared; the fault of another
    meter is told on ``site_line``.
    """
    found: dict[DeclarationFault, None] = {}
    meters = catalogue.meters_of(Group.ELECTRICITY)
    instants = {facts.valid_from for meter in meters for facts in meter.facts}
    instants |= {facts.valid_from for facts in catalogue.facts}
    if any(_needs_percentages(KEYS[facts.key]) for facts in catalogue.facts):
        instants |= {at for meter in meters for at in (meter.installed_at, meter.removed_at) if at}
    for at in sorted(instants):
        for meter, name, reason in key_faults_at(catalogue, at, lines):
            line = lines.get(meter.number, site_line)
            whose = "" if meter.number in lines else f"of {meter_label(meter)} "
            found[DeclarationFault(line, name, whose + reason)] = None
    return list(found)


def key_faults_at(
    catalogue: SiteCatalogue, at: int, lines: Mapping[int, int] | None = None
) -> list[Fault]:
    """Return what the key of an instant lacks there; for ``lines`` see `key_faults`."""
    meters = catalogue.meters_of(Group.ELECTRICITY)
    faults = list(_producer_faults(catalogue, meters, at))
    if _needs_percentages(KEYS[catalogue.site_facts_at(at).key]):
        faults += _percentage_faults(catalogue, _consumers(meters, at), at, lines or {})
    return faults


def _needs_percentages(key: Key) -> bool:
    return key.meaning is ShareMeaning.FIXED or key.entitles


def _consumers(meters: Sequence[Meter], at: int) -> list[Meter]:
    """Return the consumers of the balance that are alive at an instant, as far as is declared."""
    return [
        meter
        for meter in meters
        if (facts := meter.facts_at(at)).mode is Mode.CONSUMPTION
        and facts.is_member
        and (meter.installed_at is None or meter.installed_at <= at)
        and (meter.removed_at is None or at < meter.removed_at)
    ]


def _producer_faults(catalogue: SiteCatalogue, meters: Sequence[Meter], at: int) -> Iterator[Fault]:
    """Yield what is wrong with the producers that meters name at an instant."""
    for meter in meters:
        facts = meter.facts_at(at)
        if facts.producers and facts.mode is not Mode.CONSUMPTION:
            yield meter, "producers", f"are named by consumers, and the mode is {facts.mode}"
        seen: set[int] = set()
        for name in facts.producers:
            producer = named_producer(catalogue, name)
            if producer is None:
                reason = f"names {name}, which no electricity meter of this site has"
            elif producer.facts_at(at).mode is not Mode.PRODUCTION:
                mode = producer.facts_at(at).mode
                reason = f"names {meter_label(producer)}, whose mode is {mode}"
            elif not producer.facts_at(at).balance or producer.facts_at(at).isolated:
                reason = f"names {meter_label(producer)}, which is no member of the balance"
            elif producer.number in seen:
                reason = f"names {meter_label(producer)} twice"
            else:
                seen.add(producer.number)
                continue
            yield meter, "producers", reason


def _percentage_faults(
    catalogue: SiteCatalogue, consumers: Sequence[Meter], at: int, lines: Mapping[int, int]
) -> Iterator[Fault]:
    """Yield the percentages that consumers lack at an instant, and those that are too much."""
    name = catalogue.site_facts_at(at).key
    if KEYS[name].meaning is ShareMeaning.FIXED:
        shares = [(meter, meter.facts_at(at).share) for meter in consumers]
        for meter, share in shares:
            if share is None:
                yield (
                    meter,
                    "share",
                    f"is missing: key {name} needs one of each consumer, if only 0",
                )
        yield from _over_all(shares, "share", "", lines)
        return
    of_producer: dict[int, list[tuple[Meter, Decimal | None]]] = {}
    for meter in consumers:
        for producer_name, part in meter.facts_at(at).producers.items():
            if part is None:
                reason = f"has no percentage of {producer_name}; key {name} needs one"
                yield meter, "producers", reason
            producer = named_producer(catalogue, producer_name)
            if producer is not None:
                of_producer.setdefault(producer.number, []).append((meter, part))
    names = {meter.number: meter.name for meter in catalogue.meters}
    for number, parts in of_producer.items():
        yield from _over_all(parts, "producers", f"of {names[number]} ", lines)


def _over_all(
    parts: Sequence[tuple[Meter, Decimal | None]], name: str, of: str, lines: Mapping[int, int]
) -> Iterator[Fault]:
    """Yield percentages that are more than 100 together, told of the last that is declared now."""
    in_order = sorted(parts, key=lambda said: said[0].prim_ad)
    given = [(meter, part) for meter, part in in_order if part is not None]
    together = sum((part for _, part in given), Decimal(0))
    if together > _ALL:
        last, _ = max(given, key=lambda said: lines.get(said[0].number, 0))
        listed = ", ".join(f"{meter.name} {part}" for meter, part in given)
        yield last, name, f"{of}are {together} % together ({listed}), over 100"
