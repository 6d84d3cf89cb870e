"""Whether a site's allocation key has what it needs of the meters, at every instant."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from commonwatt.app.declaration import DeclarationFault
from commonwatt.app.declared_rules import meter_label
from commonwatt.domain.allocation import KEYS, Key, ShareMeaning
from commonwatt.domain.catalogue import Group, Meter, Mode, SiteCatalogue
from commonwatt.domain.declared_terms import named_producer
from commonwatt.domain.members import is_member

_ALL = Decimal(100)
Fault = tuple[Meter, str, str]
"""The meter, the key of its declaration, and what is wrong."""


def key_faults(
    catalogue: SiteCatalogue, lines: Mapping[int, int], site_line: int
) -> list[DeclarationFault]:
    """Return what a site as it is to be lacks for its allocation key.

    ``lines`` tells on which line a meter, named by its number, is declared; the fault of another
    meter is told on ``site_line``.
    """
    found: dict[DeclarationFault, None] = {}
    meters = catalogue.meters_of(Group.ELECTRICITY)
    changes = {facts.valid_from for meter in meters for facts in meter.facts}
    changes |= {facts.valid_from for facts in catalogue.facts}
    lives = {at for meter in meters for at in (meter.installed_at, meter.removed_at) if at}
    for at in sorted(changes | lives):
        key = KEYS[catalogue.site_facts_at(at).key]
        faults = list(_producer_faults(catalogue, meters, at)) if at in changes else []
        if key.meaning is ShareMeaning.FIXED or key.entitles:
            faults += _percentage_faults(catalogue, key, _consumers(meters, at), at, lines)
        for meter, name, reason in faults:
            line = lines.get(meter.number, site_line)
            whose = "" if meter.number in lines else f"of {meter_label(meter)} "
            found[DeclarationFault(line, name, whose + reason)] = None
    return list(found)


def _consumers(meters: Sequence[Meter], at: int) -> list[Meter]:
    """Return the consumers of the balance that are alive at an instant, as far as is declared."""
    return [
        meter
        for meter in meters
        if (facts := meter.facts_at(at)).mode is Mode.CONSUMPTION
        and is_member(facts)
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
                reason = f"names {meter_label(producer)}, whose mode is {mode}, not production"
            elif not producer.facts_at(at).balance or producer.facts_at(at).isolated:
                reason = f"names {meter_label(producer)}, which is no member of the balance"
            elif producer.number in seen:
                reason = f"names {meter_label(producer)} twice"
            else:
                seen.add(producer.number)
                continue
            yield meter, "producers", reason


def _percentage_faults(
    catalogue: SiteCatalogue,
    key: Key,
    consumers: Sequence[Meter],
    at: int,
    lines: Mapping[int, int],
) -> Iterator[Fault]:
    name = catalogue.site_facts_at(at).key
    if key.meaning is ShareMeaning.FIXED:
        shares = {meter: meter.facts_at(at).share for meter in consumers}
        right = f"key {name} needs the percentage of each consumer; 0 for one that gets nothing"
        yield from (
            (m, "share", f"is missing; {right}") for m, part in shares.items() if part is None
        )
        yield from _over_all(shares, "share", "", lines)
        return
    of_producer: dict[int, dict[Meter, Decimal | None]] = {}
    for meter in consumers:
        for producer_name, part in meter.facts_at(at).producers.items():
            if part is None:
                right = f"such as {{{producer_name}: 40}}: key {name} needs one"
                yield meter, "producers", f"has no percentage of {producer_name}; say it {right}"
            producer = named_producer(catalogue, producer_name)
            if producer is not None:
                of_producer.setdefault(producer.number, {})[meter] = part
    labels = {meter.number: meter_label(meter) for meter in catalogue.meters}
    for number, parts in of_producer.items():
        yield from _over_all(parts, "producers", f" of {labels[number]}", lines)


def _over_all(
    parts: Mapping[Meter, Decimal | None], name: str, of: str, lines: Mapping[int, int]
) -> Iterator[Fault]:
    """Yield percentages that are more than 100 together, told of the last that is declared now."""
    given = {meter: part for meter, part in parts.items() if part is not None}
    together = sum(given.values(), Decimal(0))
    if together > _ALL:
        last = max(given, key=lambda meter: lines.get(meter.number, 0))
        listed = ", ".join(f"{meter.name} {part}" for meter, part in given.items())
        yield last, name, f"of all consumers{of} are {together} % together ({listed}), over 100"
