"""The validated quantities of all meters of a type: a row a period, meter by meter.

A server that sends the columns of single meters with the site's answers a month of a hundred meters
at once. But it sends them only where the site itself has a row. So they are taken where a meter's
own series could say nothing else, and the other meters are asked one by one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from commonwatt.client import Climkit, Meter, Series, Site
from commonwatt.client.errors import BadRequest, NotFound
from commonwatt.client.series.local_periods import QUARTER_S, Window
from commonwatt.client.series.words import MeterType, SamplingFrequency
from commonwatt.export.one_by_one import OneByOne, Tell
from commonwatt.export.rows import Rows
from commonwatt.export.sources import instants, meters_of

_VALUES = ("total", "self", "ext")


class OfMeters:
    """All meters of a type."""

    columns = ("meter", "name", *_VALUES)

    def __init__(
        self, climkit: Climkit, site: Site, meter_type: MeterType, sampling: SamplingFrequency
    ) -> None:
        self._climkit, self._site = climkit, site
        self._type, self._sampling = meter_type, sampling
        self._meters = OneByOne(meters_of(climkit, site, meter_type))

    @property
    def left_out(self) -> Sequence[str]:
        """Who was refused."""
        return self._meters.left_out

    def rows(self, window: Window, tell: Tell) -> Rows:
        """Ask for the site with the columns of its meters, then for the meters that lack them."""
        found = self._found_together(window)
        rows = Rows(("meter", "name"), _VALUES, readings=False)
        for meter, series in self._meters.series(partial(self._one, window, found), tell):
            rows.add(series, {"meter": meter.id, "name": meter.name}, series.columns)
        return rows

    def _found_together(self, window: Window) -> dict[str, Series]:
        """Return the series by meter that an answer of the site holds whole.

        Asked each time: a month without columns tells nothing of the next. Who is refused the
        site may still read its meters.
        """
        start, end = instants(window)
        try:
            site = self._climkit.site_data(
                self._site, self._type, start, end, self._sampling, meters=True
            )
        except (NotFound, BadRequest):
            return {}
        ids = [meter.id for meter in self._meters.items]
        first_quarter, end_quarter = (-(-at // QUARTER_S) for at in window)
        is_whole = (
            self._sampling is SamplingFrequency.QUARTER_HOUR
            and len(site) == end_quarter - first_quarter
        )
        columns = {meter_id: _columns_of(meter_id, site, is_whole=is_whole) for meter_id in ids}
        return {meter_id: replace(site, columns=own) for meter_id, own in columns.items() if own}

    def _one(self, window: Window, found: Mapping[str, Series], meter: Meter) -> Series:
        if (series := found.get(meter.id)) is not None:
            return series
        start, end = instants(window)
        return self._climkit.meter_data(self._site, meter, start, end, self._sampling)


def _columns_of(
    meter_id: str, site: Series, *, is_whole: bool
) -> Mapping[str, Sequence[float | None]] | None:
    """Return a meter's columns if its own series would have the same rows, else None.

    A consumer has a share, and with it a row, exactly where the site has one. Of others the total
    may be known elsewhere too, unless the site lacks no row (`is_whole`).
    """
    own = {
        name: site.columns[key] for name in _VALUES if (key := f"{name}_{meter_id}") in site.columns
    }
    if any(None in values for values in own.values()):
        return None
    has_share = own.keys() == {*_VALUES}
    return own if has_share or (is_whole and own.keys() == {"total"}) else None
