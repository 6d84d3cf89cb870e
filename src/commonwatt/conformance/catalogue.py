"""All checks, in the order of the published page."""

from commonwatt.conformance.check import Check
from commonwatt.conformance.checks import (
    access,
    devices,
    readings,
    series_periods,
    series_rows,
    series_values,
    series_windows,
    signing_in,
    sites,
    switch_days,
)

CHECKS: tuple[Check, ...] = (
    *signing_in.CHECKS,
    *sites.CHECKS,
    *devices.CHECKS,
    *series_rows.CHECKS,
    *series_values.CHECKS,
    *series_periods.CHECKS,
    *switch_days.CHECKS,
    *series_windows.CHECKS,
    *readings.CHECKS,
    *access.CHECKS,
    *signing_in.LAST_CHECKS,
)
