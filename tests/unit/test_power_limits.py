"""What flows at most, by what is declared of meters."""

from commonwatt.domain.metering.catalogue import (
    Medium,
    Meter,
    MeterFacts,
    Mode,
    Site,
    SiteCatalogue,
    SiteFacts,
)
from commonwatt.domain.plausibility.meters.power_limits import PowerLimits

SITE = Site(number=1, id="5" * 24, name="House", timezone="Europe/Zurich")


def meter_of(number: int, mode: Mode, max_per_hour: int | None = None) -> Meter:
    facts = MeterFacts(valid_from=0, valid_to=None, mode=mode, max_per_hour=max_per_hour)
    return Meter(
        number=number,
        id=str(number) * 24,
        name=f"Meter {number}",
        medium=Medium.ELECTRICITY,
        prim_ad=number,
        facts=(facts,),
    )


def test_meters_declared_otherwise_have_limits_of_their_own() -> None:
    """A producer and a connection may have 100 kW, a consumer 50, what is declared its own."""
    meters = {
        1: meter_of(1, Mode.PRODUCTION),
        2: meter_of(2, Mode.CONSUMPTION),
        3: meter_of(3, Mode.CONSUMPTION),
        4: meter_of(4, Mode.CONSUMPTION, max_per_hour=10_000),
        5: meter_of(5, Mode.INTRODUCTION),
    }
    facts = (SiteFacts(valid_from=0, valid_to=None),)
    catalogue = SiteCatalogue(
        site=SITE, facts=facts, meters=tuple(meters.values()), sensors=(), generation=0
    )

    found = PowerLimits.least_of(catalogue, meters)

    kw = 1_000 * 1_000  # mWh an hour
    assert found == {1: 100 * kw, 2: 50 * kw, 3: 50 * kw, 4: 30 * kw, 5: 100 * kw}
    assert found == {
        number: PowerLimits.of(catalogue, meter).least for number, meter in meters.items()
    }
