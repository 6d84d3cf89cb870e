"""A period replayed under the keys that it had gives the shares that it has."""

from hypothesis import given, note

from commonwatt.domain.balance.simulated_key import SettledMeter, shares_under_key
from commonwatt.domain.metering.catalogue import Group, Medium, Meter, SiteCatalogue, valid_spans
from commonwatt.domain.metering.load_profile import Energy, LoadProfile
from commonwatt.domain.metering.quality import exists
from tests.depth import examples
from tests.oracle.buildings import Plan, building_of, first_day, plans
from tests.oracle.product import settled_by_product


def total_of(profile: LoadProfile, meter: Meter, first: int) -> Energy:
    """The main register of a profile that begins with a quarter-hour; its mode may change."""
    length = len(profile.quality_total)
    total: Energy = profile.quality_total.astype("int64") * 0
    for start_at, end_at in valid_spans(first * 900, (first + length) * 900, meter.facts):
        here = slice(start_at // 900 - first, end_at // 900 - first)
        main = profile.ex if meter.facts_at(start_at).main_is_export else profile.im
        total[here] = 0 if main is None else main[here]
    return total


def meters_of(
    catalogue: SiteCatalogue, profiles: tuple[LoadProfile, ...], first: int
) -> list[SettledMeter]:
    by_number = {meter.number: meter for meter in catalogue.meters}
    return [
        SettledMeter(
            by_number[profile.meter],
            total_of(profile, by_number[profile.meter], first),
            profile.self_energy,
            profile.quality_self,
        )
        for profile in profiles
    ]


@examples(few=20, many=100)
@given(plan=plans())
def test_a_replay_under_the_keys_that_held_changes_nothing(plan: Plan) -> None:
    note(str(plan))
    first = 96 * first_day(plan)
    quarters = range(first, first + 96 * plan.days)
    catalogue, settlements = settled_by_product(building_of(plan), quarters)
    settled = settlements[Group.ELECTRICITY]
    balance = settled.balances.get(Medium.ELECTRICITY)
    if balance is None:
        return
    meters = meters_of(catalogue, settled.profiles, first)
    replayed = shares_under_key(catalogue, first, balance, meters)
    for each in meters:
        if each.self_energy is None or each.quality_self is None:
            continue
        known = exists(each.quality_self)
        assert replayed[each.meter.number][known].tolist() == each.self_energy[known].tolist()
