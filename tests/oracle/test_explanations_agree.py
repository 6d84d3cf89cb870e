"""What is explained is what is answered: over generated buildings, quarter by quarter."""

from fractions import Fraction
from math import floor

from hypothesis import given, note

from commonwatt.domain.explanation.balance import quarter_balance
from commonwatt.domain.explanation.boundaries import boundaries
from commonwatt.domain.metering.catalogue import Group, Medium
from commonwatt.domain.metering.quality import exists
from commonwatt.domain.settlement import group_energies
from tests.depth import examples
from tests.oracle.buildings import Plan, building_of, first_day, plans
from tests.oracle.product import judged_meter, settled_by_product

_STEP = 7
"""Every seventh quarter-hour: each is explained by itself, which takes its time."""


@examples(few=10, many=50)
@given(plan=plans())
def test_an_explanation_gives_the_total_and_the_share_that_are_settled(plan: Plan) -> None:
    note(str(plan))
    building = building_of(plan)
    first = 96 * first_day(plan)
    end = first + 96
    catalogue, settlements = settled_by_product(building, range(first, end))
    settled = settlements[Group.ELECTRICITY]
    judged = [
        judged_meter(declared, meter)
        for declared, meter in zip(catalogue.meters, building.meters, strict=True)
        if meter.deliveries or meter.installed_at is not None
        if not declared.is_rule_meter and declared.medium.group is Group.ELECTRICITY
    ]
    energies, _ = group_energies(catalogue, Group.ELECTRICITY, judged, first, end)
    balance = settled.balances.get(Medium.ELECTRICITY)
    for position in range(0, 96, _STEP):
        quarter = first + position
        here = {number: each.part(position, position + 1) for number, each in energies.items()}
        for profile in settled.profiles:
            meter = next(m for m in catalogue.meters if m.number == profile.meter)
            explained = quarter_balance(catalogue, meter, here, quarter)
            if explained.share is not None:
                assert profile.self_energy is not None
                assert explained.share.share == profile.self_energy[position]
                for cut in explained.share.cuts:
                    u = Fraction(cut.dither, 2**32)
                    assert cut.given == floor(cut.after + u) - floor(cut.before + u)
            if explained.balance is not None and balance is not None:
                assert explained.balance.self_energy[0] == balance.self_energy[position]
                assert explained.balance.allocated[0] == balance.allocated[position]
        for each in judged:
            facts = each.meter.facts_at(quarter * 900)
            register = here[each.meter.number].total(facts.main_is_export)
            if not exists(register.quality)[0] or each.meter.interval_s is not None:
                continue
            ends = boundaries(each, facts, quarter, catalogue.site.timezone)
            main = "en_ex" if facts.main_is_export else "en_im"
            rounded = [b.rounded for b in ends if b.register == main and b.rounded is not None]
            assert sum(rounded[1::2]) - sum(rounded[::2]) == register.energy[0]
