"""Every key is exact, agrees with its definition in fractions, and keeps within what there is."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.domain.allocation import (
    KEYS,
    Percentages,
    ShareMeaning,
    SharingTerms,
    share_out,
)
from tests.oracle import allocation as oracle

EVERYDAY_WH = st.integers(0, 5_000)
FEW_WH = st.integers(0, 3)
HUGE_WH = st.integers(0, 2**62 // 8)
PERCENTAGES = st.one_of(
    st.sampled_from([None, Decimal(0), Decimal(100), Decimal("33.333333"), Decimal("0.000001")]),
    st.decimals(0, 100, places=6),
)
QUARTERS = st.integers(0, 2**32)
EVERY_KEY = pytest.mark.parametrize("key", oracle.Key.__args__)  # type: ignore[attr-defined]


@st.composite
def quarters(draw: st.DrawFn) -> oracle.Quarter:
    """Draw a quarter-hour of up to 6 consumers and 3 producers, small or huge."""
    sizes = draw(st.sampled_from((EVERYDAY_WH, FEW_WH, HUGE_WH, st.integers(0, 2**31 // 2))))
    producers = {f"p{name}": draw(sizes) for name in range(draw(st.integers(0, 3)))}
    consumers = {
        f"c{name}": oracle.Consumer(
            draw(sizes),
            share(draw),
            draw(st.integers(-1, 2)),
            {producer: share(draw) for producer in producers if draw(st.booleans())},
        )
        for name in range(draw(st.integers(1, 6)))
    }
    used = sum(consumer.used for consumer in consumers.values())
    pool = draw(st.integers(0, used))
    return oracle.Quarter(
        draw(QUARTERS), pool, pool + draw(st.integers(0, 1000)), consumers, producers
    )


def share(draw: st.DrawFn) -> Fraction | None:
    percentage = draw(PERCENTAGES)
    return None if percentage is None else Fraction(percentage)


def decimal(share: Fraction | None) -> Decimal | None:
    return None if share is None else Decimal(share.numerator) / Decimal(share.denominator)


def terms_of(key: str, quarter: oracle.Quarter) -> SharingTerms:
    consumers = list(quarter.consumers.values())
    otherwise = Decimal(0 if KEYS[key].meaning is ShareMeaning.FIXED else 100)
    shares = [decimal(consumer.share) for consumer in consumers]
    parts = [
        [decimal((consumer.producers or {}).get(name)) or Decimal(0) for consumer in consumers]
        for name in quarter.producers
    ]
    shape = len(quarter.producers), len(consumers)
    entitled = Percentages.exactly([each for row in parts for each in row])
    named = [[name in (c.producers or {}) for c in consumers] for name in quarter.producers]
    return replace(
        SharingTerms.alike(
            np.array([quarter.pool]),
            np.array([[consumer.used] for consumer in consumers], np.int64),
            quarter.number,
        ),
        available=np.array([quarter.available]),
        percentages=Percentages.exactly([otherwise if s is None else s for s in shares]),
        priorities=[consumer.priority for consumer in consumers],
        produced=np.array(list(quarter.producers.values()), np.int64).reshape(-1, 1),
        named=np.array(named, np.bool_).reshape(shape),
        entitled=Percentages(entitled.parts.reshape(shape), entitled.hundred),
    )


def shares_of(key: str, quarter: oracle.Quarter) -> dict[str, int]:
    column = share_out(KEYS[key], terms_of(key, quarter))[:, 0]
    return dict(zip(quarter.consumers, column.tolist(), strict=True))


@EVERY_KEY
@given(quarter=quarters())
def test_shares_are_as_defined(key: oracle.Key, quarter: oracle.Quarter) -> None:
    assert shares_of(key, quarter) == oracle.shares(key, quarter)


@EVERY_KEY
@given(quarter=quarters())
def test_shares_stay_within_the_pool_and_what_each_used(
    key: oracle.Key, quarter: oracle.Quarter
) -> None:
    shared = shares_of(key, quarter)
    assert sum(shared.values()) <= quarter.pool
    for name, consumer in quarter.consumers.items():
        assert 0 <= shared[name] <= consumer.used


@EVERY_KEY
@given(quarter=quarters())
def test_all_that_can_be_used_is_shared(key: oracle.Key, quarter: oracle.Quarter) -> None:
    together = sum(shares_of(key, quarter).values())
    consumers = quarter.consumers.values()
    if key in ("equal", "matrix"):
        assert together == quarter.pool
    elif key == "fixed_redistributed":
        served = sum(consumer.used for consumer in consumers if consumer.share)
        assert together == min(quarter.pool, served)
    elif all(consumer.share is None for consumer in consumers) and key != "fixed":
        assert together == quarter.pool
    elif key == "fixed":
        claims = sum(min(c.used, quarter.available * (c.share or 0) / 100) for c in consumers)
        assert together > min(quarter.pool, claims) - 1
    else:
        taking_part = sum(
            c.used * (oracle.ALL if c.share is None else c.share) / 100 for c in consumers
        )
        assert together > min(quarter.pool, taking_part) - 1


@pytest.mark.parametrize(("key", "share"), [("fixed", Fraction(80)), ("matrix", None)])
def test_percentages_that_are_over_100_together_share_no_more_than_the_pool(
    key: oracle.Key, share: Fraction | None
) -> None:
    """No declaration gives so much; whatever is stored, the books close."""
    owner = oracle.Consumer(16, share, producers={"p": Fraction(80)})
    idle = replace(owner, used=1)
    consumers = {"a": owner, "b": owner, "c": idle}
    quarter = oracle.Quarter(0, 20, 40, consumers, {"p": 20})
    assert shares_of(key, quarter) == oracle.shares(key, quarter)
    assert sum(shares_of(key, quarter).values()) == 20


@given(quarter=quarters())
def test_fixed_gives_nobody_more_than_its_percentage(quarter: oracle.Quarter) -> None:
    for name, share in shares_of("fixed", quarter).items():
        percentage = quarter.consumers[name].share or 0
        assert share < quarter.available * percentage / 100 + 1


@EVERY_KEY
@pytest.mark.parametrize("pool_wh", [0, 1, 999, 400_000])
def test_a_thousand_consumers_share_as_defined(key: oracle.Key, pool_wh: int) -> None:
    random = Random(pool_wh)
    thousandth = Fraction("0.1")
    consumers = {
        f"c{number:04}": oracle.Consumer(
            random.choice((0, 1, 30, 5_000)),
            thousandth,
            number % 7,
            {"east": thousandth, "west": Fraction("0.066667")}
            if number % 2
            else {"west": thousandth},
        )
        for number in range(1_000)
    }
    producers = {"east": pool_wh // 3, "west": pool_wh // 2}
    quarter = oracle.Quarter(1_800_000, pool_wh, 2 * pool_wh, consumers, producers)
    assert shares_of(key, quarter) == oracle.shares(key, quarter)


@EVERY_KEY
@given(drawn=st.lists(quarters(), min_size=2, max_size=6), first=QUARTERS)
def test_a_run_shares_each_quarter_hour_by_itself(
    key: oracle.Key, drawn: list[oracle.Quarter], first: int
) -> None:
    """Small, huge and without production, side by side."""
    like = drawn[0]
    columns = [repeated(like, other, first + at) for at, other in enumerate(drawn)]
    each = [terms_of(key, quarter) for quarter in columns]
    run = replace(
        each[0],
        quarters=np.array([quarter.number for quarter in columns]),
        pool=np.concatenate([terms.pool for terms in each]),
        available=np.concatenate([terms.available for terms in each]),
        weights=np.hstack([terms.weights for terms in each]),
        produced=np.hstack([terms.produced for terms in each]),
    )
    together = share_out(KEYS[key], run)
    for position, quarter in enumerate(columns):
        answered = dict(zip(quarter.consumers, together[:, position].tolist(), strict=True))
        assert answered == oracle.shares(key, quarter)


def repeated(like: oracle.Quarter, other: oracle.Quarter, number: int) -> oracle.Quarter:
    """The consumers of one quarter-hour with the energies of another."""
    used = [consumer.used for consumer in other.consumers.values()]
    made = [*other.producers.values(), 0]
    consumers = {
        name: replace(consumer, used=used[position % len(used)])
        for position, (name, consumer) in enumerate(like.consumers.items())
    }
    pool = min(other.pool, sum(consumer.used for consumer in consumers.values()))
    producers = {name: made[at % len(made)] for at, name in enumerate(like.producers)}
    return oracle.Quarter(number, pool, pool + 7, consumers, producers)


@pytest.mark.parametrize("key", ["pro_rata", "priority", "fixed_redistributed", "equal"])
@given(quarter=quarters())
def test_the_order_of_the_consumers_moves_no_more_than_a_wh(
    key: oracle.Key, quarter: oracle.Quarter
) -> None:
    all_take_part = {
        name: replace(consumer, share=None if key in ("pro_rata", "priority") else consumer.share)
        for name, consumer in quarter.consumers.items()
    }
    quarter = replace(quarter, consumers=all_take_part)
    forward = shares_of(key, quarter)
    turned = replace(quarter, consumers=dict([*quarter.consumers.items()][::-1]))
    backward = shares_of(key, turned)
    assert sum(forward.values()) == sum(backward.values())
    for name, share in forward.items():
        assert abs(share - backward[name]) <= 1


MANY = 20_000
OWNERS = np.array([[True, False, False], [True, True, False]])
OF_TWO = Percentages(np.array([[40, 20, 0], [10, 60, 0]]), 100)


@pytest.mark.parametrize(
    ("key", "pool_wh", "each_wh"),
    [
        ("pro_rata", 10, [10 / 3, 10 / 3, 10 / 3]),
        ("priority", 15, [7.5, 7.5, 0]),
        ("fixed", 9, [2.5, 1.5, 1]),
        ("fixed_redistributed", 7, [3.5, 2.1, 1.4]),
        ("equal", 10, [10 / 3, 10 / 3, 10 / 3]),
        # Parts of 3 and 4 Wh by turns: the first's own, then 7 : 10 of 4 Wh, or 6 : 10 of 3 Wh.
        ("own_first", 7, [(3 + 4 * 7 / 17 + 4 + 3 * 6 / 16) / 2, (40 / 17 + 30 / 16) / 2, 0]),
        # Entitled to 50 and 80 % of 3.5 Wh; the other 2.45 Wh by what is still wanted.
        ("matrix", 7, [1.75 + 2.45 * 8.25 / 25.45, 2.8 + 2.45 * 7.2 / 25.45, 24.5 / 25.45]),
    ],
)
def test_nobody_is_favoured_over_time(key: str, pool_wh: int, each_wh: list[float]) -> None:
    alike = SharingTerms.alike(
        np.full(MANY, pool_wh, np.int64), np.full((3, MANY), 10, np.int64), 1_800_000
    )
    percentages = [50, 30, 20] if KEYS[key].meaning is ShareMeaning.FIXED else [100] * 3
    terms = replace(
        alike,
        available=np.full(MANY, 5, np.int64),
        percentages=Percentages.exactly([Decimal(each) for each in percentages]),
        priorities=[0, 0, 1],
        produced=np.full((2, MANY), 5, np.int64),
        named=OWNERS,
        entitled=OF_TWO,
    )
    mean_wh = share_out(KEYS[key], terms).mean(axis=1)
    assert mean_wh == pytest.approx(each_wh, abs=0.005)
