"""Learning what is ordinary for registers that were read before it was kept."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from commonwatt.app.highest_days import PowersOfMeter, judged_otherwise
from commonwatt.app.mark_changes import mark_days
from commonwatt.app.ports import Change, Store
from commonwatt.app.store_errors import DamagedDay
from commonwatt.domain.catalogue import Register


def learn_ordinary(store: Store, goes_on: Callable[[], bool] = lambda: True) -> bool:
    """Look through the days of registers of which it is not known; return whether all were.

    A meter at a time, so that writers wait for one at most, as long as it ``goes_on``. Meters with
    damaged readings are left out. Raises the errors of `store_errors`.
    """
    with store.snapshot() as snapshot:
        unknown = snapshot.readings.unlearned()
    for site, meter in unknown:
        if not goes_on():
            return False
        with suppress(DamagedDay), store.change(site) as change:
            _learn(change, site, meter)
    return True


def _learn(change: Change, site: int, number: int) -> None:
    catalogue = change.catalogue.catalogue(site)
    meter = next(each for each in catalogue.meters if each.number == number)
    before = change.readings.register_spans(site, [number]).get(number, {})
    powers = PowersOfMeter(change.readings, site, meter, change.readings.withdrawn(site))
    after = {
        name: replace(span, highest=span.highest or powers.afresh(Register(name)))
        for name, span in before.items()
    }
    generation = change.catalogue.next_generation(site)
    spans = {(number, name): span for name, span in after.items()}
    change.readings.put_register_spans(site, spans, generation)
    mark_days(change, catalogue, {number: list(judged_otherwise(before, after))}, generation)
