"""What a key is given of what is declared: percentages, priorities, and whose energy is whose."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from commonwatt.domain.allocation import Key, Percentages, ShareMeaning, SharingTerms
from commonwatt.domain.balance.rule_expression import BadRule, parse_rule
from commonwatt.domain.metering.catalogue import Medium, Meter, MeterFacts, SiteCatalogue
from commonwatt.domain.metering.load_profile import Energy

_ALL = Decimal(100)
_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class ConsumerTerms:
    """A consumer over some quarter-hours: what is declared of it, and its total [Wh].

    ``used`` may be negative (a rule meter's), and is 0 where the consumer is not alive.
    """

    facts: MeterFacts
    used: Energy


@dataclass(frozen=True, slots=True)
class ProducerTerms:
    """A producer over some quarter-hours: the number of its meter, and what it delivered [Wh]."""

    number: int
    delivered: Energy


def named_producer(catalogue: SiteCatalogue, name: str) -> Meter | None:
    """Return the meter that a consumer names as a producer, None if there is none.

    ``name`` is an id or ``prim_ad:N``, of the type electricity whatever the consumer's.
    """
    try:
        [operand] = parse_rule(name)
    except (BadRule, ValueError):
        return None
    if operand.sign < 0 or operand.register is not None:
        return None
    if operand.id is not None:
        return catalogue.meter_by_id.get(operand.id)
    return catalogue.meter_by_address.get((Medium.ELECTRICITY.value, operand.prim_ad or 0))


def declared_terms(
    catalogue: SiteCatalogue,
    key: Key,
    first_quarter: int,
    pool: Energy,
    available: Energy,
    consumers: Sequence[ConsumerTerms],
    producers: Sequence[ProducerTerms],
) -> SharingTerms:
    """Return the terms of a run of quarter-hours over which nothing that is declared changes.

    ``pool`` and ``available`` [Wh]: see `SharingTerms`. Consumers and producers ascend by meter id.
    A producer that is named and not given is nobody's: it has nothing to share here.
    """
    weights = np.zeros((len(consumers), len(pool)), np.int64)
    for weight, consumer in zip(weights, consumers, strict=True):
        np.maximum(consumer.used, 0, out=weight)
    produced = np.zeros((len(producers), len(pool)), np.int64)
    for row, producer in zip(produced, producers, strict=True):
        np.maximum(producer.delivered, 0, out=row)
    named, entitled = _named_by(catalogue, consumers, producers)
    return replace(
        SharingTerms.alike(pool, weights, first_quarter),
        available=available,
        percentages=_percentages(key, [consumer.facts for consumer in consumers]),
        priorities=[consumer.facts.priority for consumer in consumers],
        produced=produced,
        named=named,
        entitled=entitled,
    )


def _percentages(key: Key, consumers: Sequence[MeterFacts]) -> Percentages:
    otherwise = _NOTHING if key.meaning is ShareMeaning.FIXED else _ALL
    return Percentages.exactly(
        [otherwise if facts.share is None else facts.share for facts in consumers]
    )


def _named_by(
    catalogue: SiteCatalogue, consumers: Sequence[ConsumerTerms], producers: Sequence[ProducerTerms]
) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.bool_]], Percentages]:
    """Return who names which producer, and with what percentage (0 without one)."""
    shape = len(producers), len(consumers)
    rows = {producer.number: row for row, producer in enumerate(producers)}
    named = np.zeros(shape, np.bool_)
    percentages = [[_NOTHING] * len(consumers) for _ in producers]
    for column, consumer in enumerate(consumers):
        for name, percentage in consumer.facts.producers.items():
            meter = named_producer(catalogue, name)
            row = None if meter is None else rows.get(meter.number)
            if row is not None:
                named[row, column] = True
                percentages[row][column] = percentage or _NOTHING
    exact = Percentages.exactly([each for row in percentages for each in row])
    return named, Percentages(exact.parts.reshape(shape), exact.hundred)
