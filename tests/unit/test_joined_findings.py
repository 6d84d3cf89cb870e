"""Findings that follow each other are joined."""

import random

import pytest

from commonwatt.app.findings.joined import join_findings
from commonwatt.domain.metering.findings import Finding, FindingRule

DAY = 86_400
JUNE = 20_605 * DAY
"""2026-06-01, the first instant of a month of UTC."""


def day_finding(day: int, rule: FindingRule = FindingRule.FROZEN_REGISTER) -> Finding:
    at = JUNE + day * DAY
    return Finding(rule, 1, "en_im", at, at + DAY, {"energy": 0})


def zero(at: int, index: int = 0, meter: int = 1) -> Finding:
    rule = FindingRule.ZERO_AFTER_POSITIVE
    return Finding(rule, meter, "en_im", JUNE + at, JUNE + at, {"index": index})


def test_days_in_a_row_are_one_with_their_number_and_bounds() -> None:
    (joined,) = join_findings([day_finding(day) for day in range(30)])
    whole = joined.whole
    assert (whole.start_at, whole.end_at) == (JUNE, JUNE + 30 * DAY)
    assert whole.evidence == {"findings": 30, "energy": 0}


@pytest.mark.parametrize(("days", "count"), [((0, 1, 3), 1), ((0, 1, 4), 2)])
def test_a_day_between_does_not_part_them_and_two_do(days: tuple[int, ...], count: int) -> None:
    assert len(join_findings(map(day_finding, days))) == count


def test_a_joined_finding_ends_with_its_month() -> None:
    found = join_findings(map(day_finding, range(25, 65)))
    starts = [each.whole.start_at for each in found]
    assert starts == [JUNE + 25 * DAY, JUNE + 30 * DAY, JUNE + 61 * DAY]


def test_rules_meters_and_registers_are_told_apart() -> None:
    other = Finding(FindingRule.ZERO_AFTER_POSITIVE, 1, "en_ex", JUNE, JUNE, {"index": 0})
    order = Finding(FindingRule.INDEX_OUT_OF_ORDER, 1, "en_im", JUNE, JUNE, {"index": 3})
    assert len(join_findings([zero(0), zero(900), zero(0, meter=2), other, order])) == 4


def test_events_that_are_decided_by_themselves_stay_alone() -> None:
    rule = FindingRule.INDEX_BREAK
    breaks = [
        Finding(rule, 1, "en_im", JUNE + at, JUNE + at + 900, {"index_before": 9, "index_after": 1})
        for at in (0, 900, 1_800)
    ]
    assert [each.whole for each in join_findings(breaks)] == breaks


def test_evidence_is_summed_bounded_or_left_out() -> None:
    rule = FindingRule.GAP
    gaps = [
        Finding(rule, 1, "en_im", JUNE, JUNE + 9_000, {"seconds": 9_000, "energy": 40}),
        Finding(rule, 1, "en_im", JUNE + 9_000, JUNE + 19_000, {"seconds": 10_000}),
    ]
    assert join_findings(gaps)[0].whole.evidence == {"findings": 2, "seconds": 19_000, "energy": 40}
    spikes = join_findings([zero(0, 7), zero(900, 3)])[0].whole.evidence
    assert spikes == {"findings": 2, "lowest": 3, "highest": 7}
    skews = [
        Finding(
            FindingRule.CLOCK_SKEW,
            1,
            "en_im",
            JUNE + n * DAY,
            JUNE + (n + 1) * DAY,
            {"offset": 90 + n, "count": 96},
        )
        for n in range(2)
    ]
    assert join_findings(skews)[0].whole.evidence == {"findings": 2, "count": 192}


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_lost_and_the_order_does_not_matter(seed: int) -> None:
    chance = random.Random(seed)
    found = [zero(chance.randrange(40 * DAY), meter=chance.randrange(3)) for _ in range(60)]
    found += [day_finding(chance.randrange(60)) for _ in range(20)]
    joined_findings = join_findings(found)
    shuffled = chance.sample(found, len(found))
    assert joined_findings == join_findings(shuffled)
    members = [each for joined in joined_findings for each in joined.findings]
    assert sorted(map(repr, members)) == sorted(map(repr, found))
